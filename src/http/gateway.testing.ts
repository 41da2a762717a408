import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { PortalConfig } from "../config/config.ts";
import { failedAssessment } from "../domain/assessment.ts";
import type { Case } from "../domain/case.ts";
import type { Clock } from "../domain/clock.ts";
import { sha256, toolPin } from "../domain/digest.ts";
import {
  type AgentId,
  type CaseRef,
  newCaseRef,
  newCredential,
  newWriterId,
  type PersonId,
  randomHex,
  secureRandomBytes,
} from "../domain/ids.ts";
import type { Role } from "../domain/principal.ts";
import { createArgumentSchemas } from "../governance/argument-schema.ts";
import { createPasswordHasher, type PasswordHasher } from "../governance/password-hash.ts";
import type { Store } from "../governance/ports.ts";
import { payload } from "../governance/transitions/plan.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Log, LogFields } from "../telemetry/log.ts";
import { createHttpApp, type HttpApp, type HttpAppDeps } from "./app.ts";
import { createAuthenticator } from "./auth/authenticate.ts";
import type { GatewayStatus } from "./routes/health.ts";

const random = secureRandomBytes;

/** A clock that moves only when it is told to. */
export interface TestClock extends Clock {
  advance(ms: number): void;
}

export function createTestClock(startMs: number): TestClock {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

/** Who asks; `nobody` sends no credential, `stranger` one that was never issued. */
export const CALLERS = {
  sarah: ["reviewer"],
  /** A second one. */
  rita: ["reviewer"],
  /** Owns the agent. */
  owen: ["reviewer"],
  adam: ["admin"],
  anna: ["auditor"],
  /** Known, without any role. */
  nick: [],
} as const satisfies Record<string, readonly Role[]>;
export type PersonName = keyof typeof CALLERS;
export type Caller = PersonName | "nobody" | "stranger" | "agent";

/** Ids come from an operator and are checked where they come in; a test is its own operator. */
export const personId = (id: string): PersonId => z.custom<PersonId>().parse(id);
const agentId = (id: string): AgentId => z.custom<AgentId>().parse(id);

export const AGENT = agentId("billing-bot");

export const DEFINITION = {
  name: "delete_record",
  description: "Deletes a record. <script>alert(1)</script>",
  inputSchema: { type: "object" },
};

type Mutable<Type> = { -readonly [Member in keyof Type]: Type[Member] };

export interface TestGateway {
  readonly app: HttpApp;
  readonly store: Store;
  readonly clock: TestClock;
  /** Can be replaced member by member. */
  readonly passwords: Mutable<PasswordHasher>;
  /** Another HTTP interface on the same store, as after a restart. */
  restart(): HttpApp;
  /** References the engine was woken for. */
  readonly woken: CaseRef[];
  readonly logLines: (LogFields & { readonly message: string })[];
  token(caller: Caller): string | undefined;
  /** A case in AWAITING_REVIEW. */
  openCase(params?: { readonly argumentsText?: string; readonly riskScore?: number }): Promise<Case>;
  close(): Promise<void>;
}

export interface TestGatewayParams {
  readonly portals?: readonly PortalConfig[];
  readonly singleOperator?: boolean;
  readonly status?: GatewayStatus;
  readonly listenHost?: string;
  readonly metricsToken?: string;
  readonly consoleFolder?: HttpAppDeps["consoleFolder"];
  readonly undoWithinMs?: number;
  readonly clock?: TestClock;
  readonly mcp?: HttpAppDeps["mcp"];
  readonly engineEndpoint?: HttpAppDeps["engineEndpoint"];
  readonly upstreamHealth?: ReturnType<HttpAppDeps["upstreamHealth"]>;
  readonly secureCookies?: boolean;
  /** What the configuration says beside the defaults of the tests. */
  readonly config?: Partial<HttpAppDeps["config"]>;
}

/** The HTTP interface over a real store in a folder of its own. */
export async function openTestGateway(params: TestGatewayParams = {}): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), "atlas-http-"));
  const clock = params.clock ?? createTestClock(Date.parse("2026-11-21T12:00:00Z"));
  const writer = newWriterId(random);
  const store = await openSqliteStore({
    path: join(folder, "atlas.db"),
    writer,
    clock,
    random,
    signingKey: generateKeyPairSync("ed25519").privateKey,
  });
  const tokens = await addPrincipals(store);
  const woken: CaseRef[] = [];
  const logLines: TestGateway["logLines"] = [];
  const { mcp } = params;
  // As little work as the format allows: what a hash costs is tested where it is made.
  const passwords = createPasswordHasher({ random, cost: { ln: 1, r: 1, p: 1 } });
  const appDeps: HttpAppDeps = {
    store,
    clock,
    random,
    writer,
    authenticate: createAuthenticator({ store }),
    editing: editingDeps(store),
    status: () => params.status ?? { phase: "running", reloadRefused: false },
    exposeMetrics: async () => "atlas_cases 0\n",
    upstreamHealth: () => params.upstreamHealth ?? [],
    engine: { wake: (ref) => void woken.push(ref) },
    engineEndpoint: params.engineEndpoint ?? null,
    log: recordingLog(logLines),
    passwords,
    secureCookies: params.secureCookies ?? false,
    version: "0.1.0-test",
    config: {
      publicUrl: null,
      publicPath: "",
      listen: { host: params.listenHost ?? "127.0.0.1", port: 8000, trustedProxies: [], allowedHosts: [] },
      agents: { issuers: [] },
      engine: { kind: "embedded" },
      metrics: { token: params.metricsToken ?? null },
      review: {
        deadlineMs: 86_400_000,
        runWithinMs: 3_600_000,
        undoWithinMs: params.undoWithinMs ?? 0,
        takeForMs: 1_800_000,
      },
      observe: false,
      upstreams: [],
      policy: { rules: [], version: "policy-1" },
      portals: params.portals ?? [],
      singleOperator: params.singleOperator ?? false,
      ...params.config,
    },
    consoleFolder: params.consoleFolder ?? null,
    ...(mcp === undefined ? {} : { mcp }),
  };
  const app = createHttpApp(appDeps);
  await store.activatePolicy("policy-1");
  await store.recordUpstream({ name: "welfare", fingerprint: sha256("welfare") });
  const pin = toolPin(DEFINITION);
  await store.recordTools({
    upstream: "welfare",
    tools: [{ name: "delete_record", pin, definition: DEFINITION }],
  });
  return {
    app,
    store,
    clock,
    passwords,
    restart: () => createHttpApp(appDeps),
    woken,
    logLines,
    token: (caller) => tokens.get(caller),
    openCase: (wanted = {}) => openCase(store, { writer, ...wanted }),
    close: async () => {
      app.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Policy that assesses everything under the version that is in force, and an assessor that always pauses. */
function editingDeps(store: Store): HttpAppDeps["editing"] {
  return {
    store,
    upstreams: { listTools: () => [] },
    schemas: createArgumentSchemas(),
    policy: {
      evaluate: () => ({
        verdict: "assess",
        ruleId: "rule-1",
        version: "policy-1",
        reasonId: null,
        observe: false,
      }),
    },
    assessor: { assess: () => failedAssessment("a test") },
    threshold: 70,
    isTrusted: () => false,
    isObserved: () => false,
    random,
  };
}

async function addPrincipals(store: Store): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>([["stranger", newCredential("person", random)]]);
  for (const [name, roles] of Object.entries(CALLERS)) {
    const token = newCredential("person", random);
    tokens.set(name, token);
    await store.addPerson({ id: personId(name), roles, tokenSha256: sha256(token), by: null });
  }
  const key = newCredential("agent", random);
  tokens.set("agent", key);
  await store.addAgent({ id: AGENT, ownerId: personId("owen"), keySha256: sha256(key), by: null });
  return tokens;
}

async function openCase(
  store: Store,
  params: {
    readonly writer: ReturnType<typeof newWriterId>;
    readonly argumentsText?: string;
    readonly riskScore?: number;
  },
): Promise<Case> {
  const assessment = {
    ...failedAssessment("Deletes a benefit record."),
    risk_score: params.riskScore ?? 85,
    classification: "HIGH_RISK" as const,
    factors: [{ id: "verb.destroy", weight: 85, evidence: "/name", tag: "EU AI Act Annex III 5(a)" }],
    assessor: "embedded@1",
  };
  const result = await store.openCase({
    ref: newCaseRef(random),
    writer: params.writer,
    nonce: randomHex(16, random),
    agentId: AGENT,
    tool: {
      upstream: "welfare",
      upstreamFingerprint: sha256("welfare"),
      name: "delete_record",
      exposedName: "welfare_delete_record",
      definition: DEFINITION,
      pin: toolPin(DEFINITION),
      safeToRepeat: false,
    },
    arguments: payload(
      "arguments",
      params.argumentsText ?? `{"record":"${randomHex(4, random)}","note":"s3cret-argument"}`,
      random,
    ),
    meta: null,
    assessment: { value: assessment, payload: payload("assessment", JSON.stringify(assessment), random) },
    threshold: 70,
    ruling: { to: "AWAITING_REVIEW", reasonId: "risk.above_threshold" },
    policy: { verdict: "assess", ruleId: "rule-3", version: "policy-1" },
    safeToRepeat: false,
    observe: false,
    acceptanceRevision: null,
    runWithinMs: 3_600_000,
    reviewForMs: 86_400_000,
    settleWithinMs: 60_000,
  });
  if (result.kind !== "opened") throw new Error(`The case was not opened: ${result.kind}`);
  return result.case;
}

function recordingLog(lines: TestGateway["logLines"]): Log {
  const write = (fields: LogFields, message: string) => void lines.push({ ...fields, message });
  const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log };
  return log;
}
