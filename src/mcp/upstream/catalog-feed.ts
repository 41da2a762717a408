import type { UpstreamConfig } from "../../config/config.ts";
import type { Clock } from "../../domain/clock.ts";
import { AtlasError } from "../../domain/errors.ts";
import type { GuardStore } from "../../governance/ports.ts";
import type { UpstreamHealth } from "../../governance/upstream-health.ts";
import { backoffMs, type Delay } from "./backoff.ts";
import { type Catalog, type PinnedTool, pinTools } from "./catalog.ts";
import { reasonOf } from "./connect.ts";
import type { Connection, OpenConnectionParams } from "./connection.ts";
import { readOffers } from "./listed-offers.ts";
import type { UpstreamLog } from "./log.ts";
import type { Offers } from "./offers.ts";
import type { WatchedResources } from "./watched-resources.ts";

/** A connection that lived this long was not part of a crash loop. */
const STABLE_MS = 30_000;

/** Changes told of in this time are listed together, so that a chatty upstream cannot keep the store busy. */
const SETTLE_MS = 200;

export interface CatalogFeedParams {
  readonly config: UpstreamConfig;
  readonly catalog: Catalog;
  readonly offers: Pick<Offers, "replace">;
  readonly watched: Pick<WatchedResources, "moveTo" | "lost">;
  readonly onResourceUpdated: (uri: string) => void;
  readonly store: Pick<GuardStore, "recordTools">;
  readonly clock: Clock;
  readonly log: UpstreamLog;
  readonly open: (
    extra: Pick<OpenConnectionParams, "onListChanged" | "onResourceUpdated" | "probe" | "client">,
  ) => Promise<Connection>;
  /** Names of all upstreams in the configuration. */
  readonly configured: () => readonly string[];
  readonly delay: Delay;
  readonly random: () => number;
  /** How often the tools are listed without being told of a change. */
  readonly relistMs: number;
}

/** What an upstream listed, and how many of these tools are held for their name. */
export interface Listing {
  readonly tools: readonly PinnedTool[];
  readonly quarantined: number;
}

/** Keeps the catalog in step with one upstream. */
export interface CatalogFeed {
  /** Begins to connect in the background; settles after the first attempt, whatever came of it. */
  start(): Promise<void>;
  /** Lists on the given connection, records, and only then offers the tools. @throws AtlasError */
  listOn(connection: Connection): Promise<Listing>;
  health(): UpstreamHealth;
  close(): Promise<void>;
}

export function createCatalogFeed(params: CatalogFeedParams): CatalogFeed {
  const { config, clock, log } = params;
  const stop = new AbortController();
  let connection: Connection | null = null;
  let loop: Promise<void> = Promise.resolve();
  let listing: Promise<unknown> = Promise.resolve();
  let health = notYetKnown(config, clock.nowMs());
  const become = (next: Partial<UpstreamHealth>): void => {
    const sinceMs = next.status === health.status ? health.sinceMs : clock.nowMs();
    health = { ...health, ...next, sinceMs };
  };

  /** One at a time, so that an older list is never recorded over a newer one. */
  const listOn = (on: Connection): Promise<Listing> => {
    const turn = listing.then(() => listRecordOffer(params, on));
    listing = turn.catch(() => undefined);
    return turn;
  };

  const follow = async (afterFirst: () => void): Promise<void> => {
    const changed = createSignal();
    const { onResourceUpdated, watched } = params;
    const hears = { onListChanged: changed.raise, onResourceUpdated };
    const opened = await params.open({ ...hears, probe: true, client: null });
    connection = opened;
    try {
      void watched.moveTo(opened.watch);
      while (opened.isOpen() && !stop.signal.aborted) {
        changed.lower();
        const { tools, quarantined } = await listOn(opened);
        await followOffers(params, opened);
        const up = { upstream: config.name, tools: tools.length };
        if (health.status !== "up") log.info(up, "upstream is up");
        const { protocolVersion } = opened;
        if (quarantined > health.quarantined)
          log.warn({ upstream: config.name, quarantined }, "tools are quarantined; see: atlas tools list");
        become({ status: "up", tools: tools.length, quarantined, protocolVersion, reason: null });
        afterFirst();
        const cause = await nextCause(opened, changed, params);
        if (cause === "changed") await params.delay(SETTLE_MS, stop.signal);
      }
    } finally {
      watched.lost();
      connection = null;
      await opened.close();
    }
    throw new AtlasError("upstream.unreachable", `Upstream ${config.name} closed the connection.`);
  };

  const run = async (afterFirst: () => void): Promise<void> => {
    let failures = 0;
    while (!stop.signal.aborted) {
      const began = clock.monotonicMs();
      try {
        await follow(afterFirst);
      } catch (error) {
        if (stop.signal.aborted) break;
        const reason = reasonOf(error);
        if (health.status !== "down") log.warn({ upstream: config.name, reason }, "upstream is down");
        become({ status: "down", reason });
      }
      afterFirst();
      failures = clock.monotonicMs() - began >= STABLE_MS ? 1 : failures + 1;
      await params.delay(backoffMs(failures, params.random()), stop.signal);
    }
    afterFirst();
  };

  return {
    start: async () => {
      const { promise: first, resolve } = Promise.withResolvers<void>();
      loop = run(resolve);
      await first;
    },
    listOn,
    health: () => health,
    close: async () => {
      stop.abort();
      await connection?.close();
      await loop;
    },
  };
}

async function listRecordOffer(params: CatalogFeedParams, on: Connection): Promise<Listing> {
  const { config, configured } = params;
  const tools = pinTools(config.name, await on.listTools(), params.log);
  // What another endpoint of this name offers now is not for this one to say any more.
  if (!params.catalog.serves(config)) return { tools, quarantined: 0 };
  // A claim compares pins with what is recorded, so nothing is offered before it is.
  const held = await params.store.recordTools({
    upstream: config.name,
    tools: tools.map((tool) => ({ ...tool, exposedName: config.prefix + tool.name })),
    firstSight: config.firstSight,
    configured: configured(),
  });
  const taken = held.filter((tool) => tool.reasonId === "tool.name_taken").map((tool) => tool.name);
  params.catalog.replace(config.name, tools, new Set(taken));
  return { tools, quarantined: held.filter((tool) => tool.reasonId !== "tool.renamed").length };
}

function notYetKnown(config: UpstreamConfig, sinceMs: number): UpstreamHealth {
  return {
    upstream: config.name,
    transport: config.kind === "http" ? config.transport : "stdio",
    isolation: config.isolation,
    status: "connecting",
    sinceMs,
    tools: 0,
    quarantined: 0,
    protocolVersion: null,
    reason: null,
  };
}

/** Why to list again; nothing when the connection closed or the interval is over. */
async function nextCause(
  { closed }: Connection,
  changed: ReturnType<typeof createSignal>,
  { delay, relistMs }: CatalogFeedParams,
): Promise<"changed" | undefined> {
  const nap = new AbortController();
  const cause = await Promise.race([
    closed,
    changed.raised().then(() => "changed" as const),
    delay(relistMs, nap.signal),
  ]);
  nap.abort();
  return cause ?? undefined;
}

/** What can be read is kept as it was when it cannot be listed; its tools work all the same. */
async function followOffers(params: CatalogFeedParams, on: Connection): Promise<void> {
  const { catalog, config, offers, log } = params;
  try {
    const listed = readOffers(config, await on.listOffers(), log);
    // What another endpoint of this name offers now is not for this one to say any more.
    if (catalog.serves(config)) offers.replace(config.name, listed);
  } catch (error) {
    const reason = reasonOf(error);
    log.warn({ upstream: config.name, reason }, "resources and prompts could not be listed");
  }
}

/** A flag that can be waited for. */
function createSignal(): { raise: () => void; lower: () => void; raised: () => Promise<void> } {
  let current = Promise.withResolvers<void>();
  return {
    raise: () => current.resolve(),
    lower: () => {
      current = Promise.withResolvers<void>();
    },
    raised: () => current.promise,
  };
}
