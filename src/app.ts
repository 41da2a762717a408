import { mkdirSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { bootstrapPrincipals } from "./bootstrap.ts";
import { type Config, enforcementOf } from "./config/config.ts";
import { consoleFolder } from "./console-folder.ts";
import { type Clock, systemClock } from "./domain/clock.ts";
import {
  type CaseRef,
  newWriterId,
  type RandomBytes,
  secureRandomBytes,
  type WriterId,
} from "./domain/ids.ts";
import { type OpenedEngine, openEngine } from "./engine.ts";
import { createArgumentSchemas } from "./governance/argument-schema.ts";
import { type DriveCaseDeps, driveCase } from "./governance/drive-case.ts";
import { eraseExpired } from "./governance/erase-expired.ts";
import type { GovernCallDeps } from "./governance/govern-call.ts";
import type { GovernReadDeps } from "./governance/govern-read.ts";
import type { Meter } from "./governance/meter.ts";
import { createPasswordHasher } from "./governance/password-hash.ts";
import type { Engine, Store } from "./governance/ports.ts";
import { createRequestStates } from "./governance/request-state.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { createHttpApp } from "./http/app.ts";
import { type Admit, createAdmission, principalOf } from "./http/auth/admission.ts";
import { createAuthenticator } from "./http/auth/authenticate.ts";
import { createTokenAgents, warnOfUnknownAgents } from "./http/auth/token-agents.ts";
import type { GatewayStatus } from "./http/routes/health.ts";
import { startHttpServer } from "./http/server.ts";
import { createShortWay } from "./http/short-way.ts";
import { type Judges, openJudges } from "./judges.ts";
import { derivedKey } from "./ledger/derived-key.ts";
import { loadOrCreateSigningKey } from "./ledger/signing-key.ts";
import { liveView } from "./live-view.ts";
import type { Challenge } from "./mcp/downstream/challenge.ts";
import { createMcpEndpoint, type McpEndpoint } from "./mcp/downstream/endpoint.ts";
import { createUpstreams, type RunningUpstreams } from "./mcp/upstream/upstreams.ts";
import { createMonitoring, type Monitoring } from "./monitoring.ts";
import { createWebhookNotifier, type WebhookNotifierDeps } from "./notify/webhook.ts";
import { openStore } from "./open-store.ts";
import { compilePolicy } from "./policy/policy.ts";
import { createReloader, type ReloadOutcome } from "./reload.ts";
import { createEmbeddedAssessor } from "./risk/embedded.ts";
import { acquireDataLock } from "./store/sqlite/lock.ts";
import type { Log } from "./telemetry/log.ts";
import { productVersion } from "./version.ts";

/** A running gateway. */
export interface Gateway {
  readonly url: string;
  /** File with the first credentials, when this start made them. */
  readonly firstCredentialsFile: string | null;
  /**
   * Reads the configuration anew and puts it in force without disturbing a call; one that cannot be taken changes nothing.
   * The outcome is also written into the data folder. Never throws.
   */
  reload(load: () => Config): Promise<ReloadOutcome>;
  /** Takes no new calls, finishes what is in flight, signs the ledger and lets go of the data folder. */
  close(): Promise<void>;
}

/** How long calls in flight may take when the gateway stops; orchestrators kill after 30 s where nothing else is set. */
const FINISH_WITHIN_MS = 25_000;

/**
 * The composition root: opens everything in the order in which one needs the other.
 *
 * @throws AtlasError `data.locked` when another gateway runs on the data folder, `config.invalid` when the port is taken
 */
export async function startGateway(config: Config, log: Log): Promise<Gateway> {
  const closers = createClosers();
  try {
    return await compose(config, log, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function compose(config: Config, log: Log, closers: Closers): Promise<Gateway> {
  const self = { clock: systemClock, random: secureRandomBytes, writer: newWriterId(secureRandomBytes), log };
  const data = await openData(config, self, closers);
  const { store } = data;
  await store.activatePolicy(config.policy.version);
  const upstreams = createUpstreams({ ...config, store, ...self });
  closers.add(() => upstreams.close());
  const version = productVersion();
  const monitoring = createMonitoring({
    store,
    upstreams: () => upstreams.health(),
    mode: () => enforcementOf(inForce.newest()),
    version,
    ...self,
  });
  closers.add(() => monitoring.close());
  const judges = await openJudges(config.risk, self);
  const parts = partsOf({ ...data, upstreams, meter: monitoring.meter }, self);
  const inForce = createInForce(config, parts, judges);

  let ownUrl = "";
  const { engine, endpoint: engineEndpoint } = composeEngine(data, inForce, () => ownUrl, self);
  closers.add(() => engine.close());
  const notifier = createNotifier(config, { store, ...self });
  closers.add(() => notifier.close());
  closers.add(store.onChange((_change, origin) => origin === "here" && notifier.wake()));
  const reloader = composeReloader({ config, store, upstreams, inForce, judges, notifier, monitoring }, self);
  let phase: GatewayStatus["phase"] = "starting";
  const status = () => ({ phase, reloadRefused: reloader.last()?.taken === false });
  const { app, mcp } = composeHttp(
    { ...data, upstreams, engine, engineEndpoint, inForce, monitoring, status, version },
    self,
  );
  passNewsOn(upstreams, mcp, closers);
  closers.add(() => app.close());

  await warnOf(config, store, log);
  await upstreams.start();
  const first = createShortWay({ config, status, log, take: (exchange) => mcp.shortWay.take(exchange) });
  const server = await startHttpServer({ fetch: app.fetch, first, ...config.listen });
  closers.add(() => server.close());
  // Before the server cuts its streams, so that answers on a legacy stream get out.
  closers.add(() => mcp.close());
  data.lock.update({ url: server.url });
  ownUrl = server.url;
  await engine.start();
  notifier.wake();
  keepHouse(inForce, store, self, closers);
  closers.add(() => reloader.close());
  // First of all: what waits for a model must not keep the rest open.
  closers.add(() => judges.close());
  judges.warm();
  phase = "running";
  return {
    url: server.url,
    firstCredentialsFile: data.firstCredentialsFile,
    reload: async (load) => {
      const outcome = await reloader.reload(load);
      mcp.offersChanged();
      return outcome;
    },
    close: async () => {
      phase = "stopping";
      await settleWithin(FINISH_WITHIN_MS, mcp.drain());
      await closers.closeAll();
    },
  };
}

/** Settles when the work does, or after that time. */
async function settleWithin(ms: number, work: Promise<void>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, over]);
  clearTimeout(timer);
}

interface Composed {
  readonly store: Store;
  readonly upstreams: RunningUpstreams;
  readonly engine: Pick<Engine, "wake">;
  readonly inForce: ReturnType<typeof createInForce>;
  readonly judges: Judges;
  readonly notifier: ReturnType<typeof createNotifier>;
  readonly monitoring: Monitoring;
}

/** What agents and people reach, without a port. */
function composeHttp(
  parts: Omit<Composed, "notifier" | "judges"> & {
    readonly engineEndpoint: OpenedEngine["endpoint"];
    readonly status: () => GatewayStatus;
    readonly version: string;
    readonly sessionKey: Uint8Array;
  },
  self: Self,
) {
  const { store, engine, inForce, monitoring, status, version } = parts;
  const admit = createDoor(store, inForce.newest, self);
  const mcp = createMcpEndpoint({
    governance: inForce.governance,
    version,
    authenticate: admit,
    challenge: () => challengeFrom(inForce.newest()),
    random: self.random,
    messagesPath: `${inForce.config.publicPath}/mcp/messages`,
    sessionKey: parts.sessionKey,
    onError: (error) => self.log.warn({ error }, "an MCP request failed"),
  });
  const app = createHttpApp({
    store,
    engine,
    engineEndpoint: parts.engineEndpoint,
    editing: inForce.governance,
    authenticate: principalOf(admit),
    mcp,
    config: inForce.config,
    status,
    exposeMetrics: () => monitoring.expose(),
    upstreamHealth: () => parts.upstreams.health(),
    ...self,
    passwords: createPasswordHasher({ random: self.random }),
    secureCookies: inForce.config.publicUrl?.startsWith("https:") === true,
    version,
    consoleFolder,
  });
  return { app, mcp };
}

function composeReloader(parts: Omit<Composed, "engine"> & { readonly config: Config }, self: Self) {
  const { store, inForce, judges, notifier, monitoring } = parts;
  return createReloader({
    dataDir: parts.config.dataDir,
    inForce: inForce.newest,
    take: async (next) => {
      await judges.follow(next.risk);
      // From this commit on no call is claimed under the old rules; those that were ruled by them are ruled anew.
      await store.activatePolicy(next.policy.version);
      inForce.replace(next);
      await parts.upstreams.apply(next.upstreams);
      await notifier.follow(next);
      await warnOf(next, store, self.log);
    },
    onOutcome: (outcome) => monitoring.metrics.configReloaded({ ...outcome, atMs: self.clock.nowMs() }),
    ...self,
  });
}

function composeEngine(
  { store, isAlone }: { readonly store: Store; readonly isAlone: boolean },
  inForce: Composed["inForce"],
  ownUrl: () => string,
  self: Self,
): OpenedEngine {
  const { engine, publicPath } = inForce.config;
  const drive = (ref: CaseRef) => driveCase(ref, inForce.governance);
  return openEngine(engine, { store, drive, ownUrl, publicPath, otherWritersAreDead: isAlone, ...self });
}

function keepHouse(inForce: Composed["inForce"], store: Store, self: Self, closers: Closers): void {
  const work = (signal: AbortSignal) => eraseDaily(inForce.newest(), store, signal, self);
  const housekeeping = createHousekeeping({ work, ...self });
  closers.add(() => housekeeping.close());
  housekeeping.start();
}

async function eraseDaily(config: Config, store: Store, signal: AbortSignal, self: Self): Promise<void> {
  const erased = await eraseExpired(config.retention, { store, clock: self.clock, signal });
  if (erased.results.cases + erased.texts.cases > 0) {
    self.log.info(erased, "Texts of ended cases were erased because their time is over.");
  }
}

function passNewsOn(upstreams: RunningUpstreams, mcp: McpEndpoint, closers: Closers): void {
  closers.add(upstreams.onCatalogChange(() => mcp.toolsChanged()));
  closers.add(upstreams.onOffersChange(() => mcp.offersChanged()));
  closers.add(upstreams.onResourceUpdated((updated) => mcp.resourceUpdated(updated)));
}

/** What an operator should hear of a configuration that comes into force. */
async function warnOf(config: Config, store: Store, log: Log): Promise<void> {
  await warnOfUnknownAgents({ ...config.agents, store, log });
  const mode = enforcementOf(config);
  if (config.singleOperator)
    log.warn({}, "this gateway runs in single-operator mode: people decide cases of their own agents");
  if (mode === "enforce") return;
  log.warn({ mode }, "this gateway does not enforce everything: what it would hold is let through");
}

/** Who gets in: holders of what the gateway issued, and agents with a token of an issuer. */
function createDoor(store: Store, newest: () => Config, self: Self): Admit {
  const tokens = createTokenAgents({ issuers: () => newest().agents.issuers, store, ...self });
  return createAdmission({ byKey: createAuthenticator({ store }), tokens });
}

/** Clients look for an authorization server only where there is one. With several, each has scopes of its own. */
function challengeFrom({ publicUrl, agents: { issuers } }: Config): Challenge {
  const resourceMetadataUrl =
    issuers.length === 0 ? null : `${publicUrl ?? ""}/.well-known/oauth-protected-resource/mcp`;
  const scopes = issuers.length === 1 ? issuers.flatMap((issuer) => issuer.requiredScopes) : [];
  return { resourceMetadataUrl, scope: scopes.join(" ") };
}

/** What belongs to this process as a whole. */
interface Self {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly writer: WriterId;
  readonly log: Log;
}

/** Takes the data folder for this process, opens the database and makes the first principals. */
async function openData(config: Config, self: Self, closers: Closers) {
  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const startedAt = new Date(self.clock.nowMs()).toISOString();
  const lock = acquireDataLock(dataDir, { pid: process.pid, startedAt });
  closers.add(() => lock.release());
  const signingKey = loadOrCreateSigningKey(dataDir).privateKey;
  // Many gateways share a Postgres database under Inngest; the embedded engine has whatever database it is on to itself.
  const isAlone = config.engine.kind === "embedded" || config.database.kind === "sqlite";
  const store = await openStore({ ...config, hold: isAlone ? "alone" : "shared", signingKey, ...self });
  closers.add(() => store.close());
  const agentKey = process.env["ATLAS_API_KEY"];
  const firstCredentialsFile = await bootstrapPrincipals({ dataDir, store, random: self.random, agentKey });
  const sessionKey = derivedKey(signingKey, "sessions");
  const stateKey = derivedKey(signingKey, "request state");
  return { lock, store, isAlone, firstCredentialsFile, sessionKey, stateKey };
}

/** What calls are governed with, whatever the configuration says. */
function partsOf(
  {
    stateKey,
    store,
    isAlone,
    upstreams,
    meter,
  }: {
    readonly stateKey: Uint8Array;
    readonly store: Store;
    readonly isAlone: boolean;
    readonly upstreams: RunningUpstreams;
    readonly meter: Meter;
  },
  self: Self,
) {
  return {
    ...self,
    store,
    upstreams,
    meter,
    requestStates: createRequestStates(stateKey, self.clock, self.random),
    schemas: createArgumentSchemas(),
    running: new Map(),
    assessing: new Map(),
    otherWritersAreDead: isAlone,
  };
}

/** What one configuration says of calls. */
function rulesOf(config: Config) {
  const trusted = new Set(config.upstreams.filter((u) => u.trusted).map((u) => u.name));
  const observed = new Set(config.upstreams.filter((u) => u.observe).map((u) => u.name));
  return {
    policy: compilePolicy(config.policy),
    assessor: createEmbeddedAssessor({
      threshold: config.risk.threshold,
      packs: config.risk.packs,
      insideDomains: config.risk.insideDomains,
      ...(config.risk.moneyFloor !== null && { moneyFloor: config.risk.moneyFloor }),
    }),
    threshold: config.risk.threshold,
    isTrusted: (name: string) => trusted.has(name),
    isObserved: (name: string) => config.observe || observed.has(name),
    reviewForMs: config.review.deadlineMs,
    runWithinMs: config.review.runWithinMs,
    holdMs: config.hold.callMs,
    maxResultBytes: config.maxResultBytes,
  };
}

/** The configuration in force and everything that follows from it: replaced as one, so that no ruling mixes two. */
function createInForce(first: Config, parts: ReturnType<typeof partsOf>, judges: Judges) {
  const under = (config: Config) => ({
    config,
    governance: { ...parts, ...rulesOf(config), judging: judges.current() } satisfies GovernCallDeps &
      GovernReadDeps &
      DriveCaseDeps,
  });
  let current = under(first);
  return {
    config: liveView(() => current.config),
    governance: liveView(() => current.governance),
    newest: () => current.config,
    replace(next: Config) {
      current = under(next);
    },
  };
}

/** The notifier of the configuration in force; another configuration gets another one, and what is due goes out through that. */
function createNotifier(first: Config, deps: Omit<WebhookNotifierDeps, "config">) {
  const under = (config: Config) => createWebhookNotifier({ ...deps, config: config.notify.webhook });
  let { notify } = first;
  let current = under(first);
  return {
    wake: () => current.wake(),
    close: () => current.close(),
    async follow(next: Config) {
      if (isDeepStrictEqual(notify, next.notify)) return;
      const previous = current;
      current = under(next);
      notify = next.notify;
      await previous.close();
      current.wake();
    },
  };
}

interface Closers {
  add(close: () => unknown): void;
  /** Closes in reverse order; one that fails does not keep the others open. @throws the first failure, after all were tried. */
  closeAll(): Promise<void>;
}

function createClosers(): Closers {
  const closers: (() => unknown)[] = [];
  return {
    add: (close) => closers.push(close),
    async closeAll() {
      const failures: unknown[] = [];
      for (const close of closers.splice(0).toReversed()) {
        try {
          await close();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
