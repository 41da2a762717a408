import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bootstrapPrincipals } from "./bootstrap.ts";
import type { Config } from "./config/config.ts";
import { systemClock } from "./domain/clock.ts";
import { newWriterId, secureRandomBytes } from "./domain/ids.ts";
import { createEmbeddedEngine } from "./engines/embedded.ts";
import { createArgumentSchemas } from "./governance/argument-schema.ts";
import { driveCase } from "./governance/drive-case.ts";
import type { GovernCallDeps } from "./governance/govern-call.ts";
import { createAuthenticator } from "./http/auth/authenticate.ts";
import { createHttpApp } from "./http/app.ts";
import { startHttpServer } from "./http/server.ts";
import { loadOrCreateSigningKey } from "./ledger/signing-key.ts";
import { createMcpEndpoint } from "./mcp/downstream/endpoint.ts";
import { createUpstreams } from "./mcp/upstream/upstreams.ts";
import { createWebhookNotifier } from "./notify/webhook.ts";
import { compilePolicy } from "./policy/policy.ts";
import { createEmbeddedAssessor } from "./risk/embedded.ts";
import { acquireDataLock } from "./store/sqlite/lock.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import type { Log } from "./telemetry/log.ts";
import { productVersion } from "./version.ts";

/** A running gateway. */
export interface Gateway {
  readonly url: string;
  /** File with the first credentials, when this start made them. */
  readonly firstCredentialsFile: string | null;
  /** Takes no new calls, finishes what is in flight, signs the ledger and lets go of the data folder. */
  close(): Promise<void>;
}

/** Largest answer of a run after review that is kept for the agent. */
const MAX_RESULT_BYTES = 4 * 1024 * 1024;

export const DATABASE_FILE = "atlas.db";

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
  const clock = systemClock;
  const random = secureRandomBytes;
  const writer = newWriterId(random);

  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const lock = acquireDataLock(config.dataDir, { pid: process.pid, startedAt: new Date(clock.nowMs()).toISOString() });
  closers.add(() => lock.release());
  const store = await openSqliteStore({
    path: `${config.dataDir}/${DATABASE_FILE}`,
    writer,
    clock,
    random,
    signingKey: loadOrCreateSigningKey(config.dataDir).privateKey,
    log,
  });
  closers.add(() => store.close());
  const firstCredentialsFile = await bootstrapPrincipals({
    dataDir: config.dataDir,
    store,
    random,
    agentKey: process.env["ATLAS_API_KEY"],
  });
  const policy = compilePolicy(config.policy);
  await store.activatePolicy(config.policy.version);

  const upstreams = createUpstreams({ upstreams: config.upstreams, store, clock, log });
  closers.add(() => upstreams.close());
  const trusted = new Set(config.upstreams.filter((u) => u.trusted).map((u) => u.name));
  const governance: GovernCallDeps = {
    store,
    upstreams,
    policy,
    assessor: createEmbeddedAssessor({ threshold: config.risk.threshold }),
    schemas: createArgumentSchemas(),
    threshold: config.risk.threshold,
    isTrusted: (name) => trusted.has(name),
    clock,
    random,
    writer,
    reviewForMs: config.review.deadlineMs,
    runWithinMs: config.review.runWithinMs,
    holdMs: config.hold.callMs,
    maxResultBytes: MAX_RESULT_BYTES,
    running: new Map(),
  };
  const engine = createEmbeddedEngine({
    store,
    drive: (ref) => driveCase(ref, { ...governance, otherWritersAreDead: true }),
    writer,
    clock,
    onError: (ref, error) => log.error({ err: error, ref }, "a case could not be driven; it will be tried again"),
  });
  closers.add(() => engine.close());
  const notifier = createWebhookNotifier({ store, config: config.notify.webhook, clock, log });
  closers.add(() => notifier.close());
  store.onChange((change) => {
    if (change.to === "AWAITING_REVIEW") notifier.wake();
  });

  const authenticate = createAuthenticator({ store });
  const mcp = createMcpEndpoint({
    governance,
    version: productVersion(),
    authenticate,
    random,
    messagesPath: "/mcp/messages",
    onError: (error) => log.warn({ err: error }, "an MCP request failed"),
  });
  closers.add(() => mcp.close());
  closers.add(upstreams.onCatalogChange(() => mcp.toolsChanged()));
  const app = createHttpApp({
    store,
    engine,
    authenticate,
    mcp,
    config,
    clock,
    random,
    writer,
    log,
    version: productVersion(),
    consoleDir: fileURLToPath(new URL("../console", import.meta.url)),
  });
  closers.add(() => app.close());

  await upstreams.start();
  const server = await startHttpServer({ fetch: app.fetch, host: config.listen.host, port: config.listen.port });
  closers.add(() => server.close());
  lock.update({ url: server.url });
  await engine.start();
  notifier.wake();
  return { url: server.url, firstCredentialsFile, close: () => closers.closeAll() };
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
      for (const close of closers.splice(0).reverse()) {
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
