import { isDeepStrictEqual } from "node:util";
import type { Isolation, UpstreamConfig } from "../../config/config.ts";
import type { Clock } from "../../domain/clock.ts";
import { AtlasError } from "../../domain/errors.ts";
import type { AgentId } from "../../domain/ids.ts";
import type { LiveCaller } from "../../governance/live-client.ts";
import type { GuardStore, UpstreamSession, Upstreams } from "../../governance/ports.ts";
import type { UpstreamOffers } from "../../governance/read-ports.ts";
import type { UpstreamHealth } from "../../governance/upstream-health.ts";
import { type Delay, realDelay } from "./backoff.ts";
import { type Catalog, catalogTool, createCatalog } from "./catalog.ts";
import { type CatalogFeed, createCatalogFeed } from "./catalog-feed.ts";
import { askedOf } from "./client-messages.ts";
import { type EraMemory, reasonOf } from "./connect.ts";
import { type Connection, type OpenConnectionParams, openConnection } from "./connection.ts";
import { createLiveConnections, type Line, type LiveConnections } from "./live-connections.ts";
import type { UpstreamLog } from "./log.ts";
import { createOffers, type Offers, type OffersChange } from "./offers.ts";
import { createRoster, type Roster } from "./roster.ts";
import type { ChildGrace } from "./stdio-transport.ts";
import { createWatchedResources, type WatchedResources } from "./watched-resources.ts";

/** Times that only tests and large installations have reason to change. */
export interface UpstreamsTuning {
  readonly delay: Delay;
  readonly random: () => number;
  /** How long the start waits for first connections before it goes on without them. */
  readonly startWaitMs: number;
  readonly relistMs: number;
  readonly idleMs: number;
  readonly maxLivePerUpstream: number;
  readonly grace: ChildGrace;
}

const DEFAULT_TUNING: UpstreamsTuning = {
  delay: realDelay,
  random: Math.random,
  startWaitMs: 3_000,
  relistMs: 5 * 60_000,
  idleMs: 5 * 60_000,
  maxLivePerUpstream: 64,
  grace: { afterEofMs: 2_000, afterTermMs: 2_000 },
};

/** No call may take longer, by the bounds of `call_deadline`; after this nobody uses what was taken away. */
const LONGEST_CALL_MS = 24 * 60 * 60_000;

export interface UpstreamsParams {
  /** In order of precedence: a tool name belongs to the first that offers it. */
  readonly upstreams: readonly UpstreamConfig[];
  readonly store: Pick<GuardStore, "recordUpstream" | "recordTools">;
  readonly clock: Clock;
  readonly log: UpstreamLog;
  /** Longest answer that is taken from an upstream. */
  readonly maxResultBytes: number;
  readonly tuning?: Partial<UpstreamsTuning>;
}

/** The upstreams of a running gateway. */
export interface RunningUpstreams extends Upstreams, UpstreamOffers {
  /**
   * Registers every upstream, then connects in the background; settles when each was tried once, or
   * after a short time. An upstream that is down holds nothing up.
   *
   * @throws AtlasError when the store fails.
   */
  start(): Promise<void>;
  /**
   * Puts other upstreams in force: new ones are connected to, those taken away finish their calls in flight, and those that
   * are configured as before keep their connections. Settles like {@link RunningUpstreams.start}.
   *
   * @throws AtlasError when the store fails; applying once more mends it.
   */
  apply(upstreams: readonly UpstreamConfig[]): Promise<void>;
  /** Ends every connection and every child process. */
  close(): Promise<void>;
  /** Called when the callable tools changed. Returns a function that stops it. */
  onCatalogChange(listener: () => void): () => void;
  /** Called when what can be read changed. Returns a function that stops it. */
  onOffersChange(listener: (change: OffersChange) => void): () => void;
  /** Called when an upstream said that a resource it is watched for changed. Returns a function that stops it. */
  onResourceUpdated(listener: (updated: ResourceUpdated) => void): () => void;
  health(): readonly UpstreamHealth[];
}

/** An upstream's word that a resource changed; nobody checked that it is the upstream's. */
export interface ResourceUpdated {
  readonly upstream: string;
  readonly uri: string;
}

interface Upstream {
  readonly config: UpstreamConfig;
  readonly feed: CatalogFeed;
  readonly live: LiveConnections;
  readonly watched: WatchedResources;
  readonly open: (
    extra: Pick<OpenConnectionParams, "onListChanged" | "onResourceUpdated" | "probe" | "client">,
  ) => Promise<Connection>;
}

interface Context extends UpstreamsParams {
  readonly tuning: UpstreamsTuning;
  readonly catalog: Catalog;
  /** Names of all upstreams as they are configured now. */
  readonly configured: () => readonly string[];
  readonly offers: Offers;
  /** By name: what is watched outlives a change of the upstream's configuration. */
  readonly watched: Map<string, WatchedResources>;
  readonly updated: (updated: ResourceUpdated) => void;
  /** Aborted when the gateway stops. */
  readonly signal: AbortSignal;
}

function createUpstream(config: UpstreamConfig, context: Context): Upstream {
  const { clock, log, store, catalog, offers, signal, maxResultBytes } = context;
  const { delay, random, relistMs, grace, maxLivePerUpstream: max } = context.tuning;
  const era: EraMemory = { verdict: null };
  const open: Upstream["open"] = (extra) =>
    openConnection({ config, clock, log, era, grace, signal, maxResultBytes, ...extra });
  const onResourceUpdated = (uri: string): void => context.updated({ upstream: config.name, uri });
  const watched = context.watched.get(config.name) ?? createWatchedResources(onResourceUpdated);
  context.watched.set(config.name, watched);
  const catalogs = { catalog, offers, watched, onResourceUpdated };
  return {
    config,
    open,
    watched,
    feed: createCatalogFeed({
      config,
      configured: context.configured,
      ...catalogs,
      store,
      clock,
      log,
      open,
      delay,
      random,
      relistMs,
    }),
    live: createLiveConnections({
      open: (client) => open({ probe: false, client }),
      clock,
      delay,
      random,
      max,
    }),
  };
}

export function createUpstreams(params: UpstreamsParams): RunningUpstreams {
  const { store } = params;
  const tuning = { ...DEFAULT_TUNING, ...params.tuning };
  const catalog = createCatalog({ upstreams: params.upstreams, log: params.log });
  const sessions = new Set<Connection>();
  const stop = new AbortController();
  const offers = createOffers({ upstreams: params.upstreams, log: params.log });
  const listeners = new Set<(updated: ResourceUpdated) => void>();
  const updated: Context["updated"] = (news) => {
    for (const listener of listeners) listener(news);
  };
  const configured = () => roster.current().map(({ config }) => config.name);
  const catalogs = { catalog, offers, updated, watched: new Map<string, WatchedResources>() };
  const context: Context = { ...params, ...catalogs, tuning, configured, signal: stop.signal };
  const roster = createRoster(
    params.clock,
    params.upstreams.map((config) => createUpstream(config, context)),
  );
  const get = (name: string): Upstream => {
    const upstream = roster.named(name);
    if (upstream === undefined) throw unknownUpstream(name);
    return upstream;
  };

  return {
    findTool: (exposedName) => catalog.find(exposedName),
    listTools: () => catalog.list(),
    onCatalogChange: (listener) => catalog.onChange(listener),
    ...readsOf(offers, roster),
    onOffersChange: offers.onChange,
    onResourceUpdated: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    health: () => roster.current().map(({ feed }) => feed.health()),
    deadlineMs: (name) => get(name).config.callDeadlineMs,
    mayAsk: (name) => roster.named(name)?.config.isolation === "session",
    readyLive: async ({ upstream: name, upstreamFingerprint, agentId, session, client }) => {
      const upstream = roster.claimed(name, upstreamFingerprint);
      await upstream?.live.ready(lineOf(upstream.config.isolation, agentId, { session, client }));
    },
    endSession: ({ agentId, session }) => {
      const { key } = lineOf("session", agentId, { session, client: null });
      for (const { live } of [...roster.current(), ...roster.retired()]) live.end(key);
    },
    dispatchLive: async ({ upstream: name, upstreamFingerprint, agentId, session, client, ...call }) => {
      const upstream = roster.claimed(name, upstreamFingerprint);
      if (upstream === undefined) return { kind: "not_sent", late: false, detail: "the upstream is gone" };
      const line = lineOf(upstream.config.isolation, agentId, { session, client });
      const definition = catalog.toolsOf(name).find((tool) => tool.name === call.tool)?.definition;
      return askedOf(await upstream.live.dispatch(line, { ...call, definition }), line.client);
    },
    openSession: async (name) => {
      const upstream = roster.current().find(({ config }) => config.name === name);
      if (upstream === undefined) throw unknownUpstream(name);
      const connection = await upstream.open({ probe: false, client: null });
      sessions.add(connection);
      void connection.closed.then(() => sessions.delete(connection));
      return await freshSession(upstream, connection);
    },
    start: async () => {
      for (const { config } of roster.current()) {
        await store.recordUpstream({ name: config.name, fingerprint: config.fingerprint });
      }
      void sweepIdle(roster, context);
      await startFeeds(roster.current(), tuning);
    },
    apply: (configs) => applyConfigs(configs, roster, context),
    close: async () => {
      stop.abort();
      await Promise.all([
        ...[...roster.current(), ...roster.retired()].flatMap(({ feed, live }) => [
          feed.close(),
          live.close(),
        ]),
        ...[...sessions].map((connection) => connection.close()),
      ]);
    },
  };
}

/** Reads go the way of live calls: on the connection that the upstream's isolation gives the agent. */
function readsOf(offers: Offers, roster: Roster<Upstream>): UpstreamOffers {
  const find = (name: string): Upstream | undefined =>
    roster.current().find(({ config }) => config.name === name);
  return {
    listResources: offers.listResources,
    listTemplates: offers.listTemplates,
    listPrompts: offers.listPrompts,
    routeResource: offers.routeResource,
    findTemplate: offers.findTemplate,
    findPrompt: offers.findPrompt,
    read: async ({ upstream: name, agentId, session, client, ...request }) => {
      const upstream = find(name);
      if (upstream === undefined) return { kind: "not_sent", late: false, detail: "the upstream is gone" };
      const line = lineOf(upstream.config.isolation, agentId, { session, client });
      return await upstream.live.read(line, request);
    },
    watchResource: async ({ upstream, uri }) => (await find(upstream)?.watched.add(uri)) ?? null,
  };
}

/**
 * Puts other upstreams in force. The order is the safety: an endpoint is recorded before anything can be sent to it, so a
 * claim for the one before goes back to a person; and a call that was claimed for that one still goes there.
 */
async function applyConfigs(
  configs: readonly UpstreamConfig[],
  roster: Roster<Upstream>,
  context: Context,
): Promise<void> {
  const next: Upstream[] = [];
  const fresh: Upstream[] = [];
  for (const config of configs) {
    const same = roster.current().find((upstream) => isDeepStrictEqual(upstream.config, config));
    if (same !== undefined) {
      next.push(same);
      continue;
    }
    await context.store.recordUpstream({ name: config.name, fingerprint: config.fingerprint });
    const upstream = createUpstream(config, context);
    fresh.push(upstream);
    next.push(upstream);
  }
  const retiring = roster.replace(next);
  context.catalog.configure(configs);
  context.offers.configure(configs);
  for (const { live } of retiring) live.endAll();
  await Promise.all(retiring.map(({ feed }) => feed.close()));
  await startFeeds(fresh, context.tuning);
}

/** Settles when each was tried once, or after a short time. */
async function startFeeds(upstreams: readonly Upstream[], tuning: UpstreamsTuning): Promise<void> {
  const tried = Promise.all(upstreams.map(({ feed }) => feed.start()));
  const waited = new AbortController();
  await Promise.race([tried, tuning.delay(tuning.startWaitMs, waited.signal)]);
  waited.abort();
}

async function sweepIdle(roster: Roster<Upstream>, { tuning, signal }: Context): Promise<void> {
  while (!signal.aborted) {
    await tuning.delay(tuning.idleMs / 2, signal);
    const over = roster.forget(LONGEST_CALL_MS);
    await Promise.all([
      ...[...roster.current(), ...roster.retired()].map(({ live }) => live.closeIdle(tuning.idleMs)),
      ...over.map(({ live }) => live.close()),
    ]);
  }
}

function unknownUpstream(name: string): AtlasError {
  return new AtlasError("resource.not_found", `There is no upstream ${name}.`);
}

/** What others share a connection with must not ask one of them, for its question could be another's. */
function lineOf(isolation: Isolation, agentId: AgentId, caller: LiveCaller): Line {
  switch (isolation) {
    case "shared":
      return { key: "shared", client: null };
    case "agent":
      return { key: `agent ${agentId}`, client: null };
    case "session":
      return { key: `session ${agentId} ${caller.session}`, client: caller.client };
    default:
      return isolation satisfies never;
  }
}

async function freshSession(upstream: Upstream, connection: Connection): Promise<UpstreamSession> {
  try {
    const listing = await upstream.feed.listOn(connection);
    const tools = listing.tools.map((tool) => catalogTool(upstream.config, tool));
    return {
      upstreamFingerprint: upstream.config.fingerprint,
      tools,
      dispatch: async (call) => {
        const definition = tools.find((tool) => tool.name === call.tool)?.definition;
        return (await connection.dispatch({ ...call, definition })).outcome;
      },
      close: () => connection.close(),
    };
  } catch (error) {
    await connection.close();
    if (error instanceof AtlasError && error.code === "store.failed") throw error;
    throw new AtlasError(
      "internal",
      `Upstream ${upstream.config.name} could not be used: ${reasonOf(error)}.`,
    );
  }
}
