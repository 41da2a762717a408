import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Assessment } from "../domain/assessment.ts";
import { classificationOf } from "../domain/assessment.ts";
import type { Clock } from "../domain/clock.ts";
import { sha256, toolPin } from "../domain/digest.ts";
import { AtlasError } from "../domain/errors.ts";
import { type AgentId, newWriterId, type PersonId, secureRandomBytes } from "../domain/ids.ts";
import type { CatalogTool, ToolDefinition } from "../domain/tool.ts";
import { loadOrCreateSigningKey } from "../ledger/signing-key.ts";
import { compilePolicy, type PolicyRule, policyVersion } from "../policy/policy.ts";
import type { OpenStoreParams } from "../store/commands/store.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { createArgumentSchemas } from "./argument-schema.ts";
import type { DriveCaseDeps } from "./drive-case.ts";
import type { EditArgumentsDeps } from "./edit-arguments.ts";
import type { GovernCallDeps } from "./govern-call.ts";
import type { GovernReadDeps } from "./govern-read.ts";
import type { DispatchOutcome, DispatchParams, Store, UpstreamSession, Upstreams } from "./ports.ts";
import { createScriptedOffers, type ScriptedOffers } from "./reads.testing.ts";
import { createRequestStates } from "./request-state.ts";
import type { Judging } from "./rule-call.ts";

/** A clock that only moves when told to. */
export interface TestClock extends Clock {
  advance(ms: number): void;
}

export function createTestClock(startMs = Date.UTC(2026, 10, 21, 9)): TestClock {
  let elapsed = 0;
  return {
    nowMs: () => startMs + elapsed,
    monotonicMs: () => elapsed,
    advance: (ms) => {
      elapsed += ms;
    },
  };
}

const UPSTREAM = "bank";

/** An upstream that does what the test says and counts what reached it. */
export interface ScriptedUpstreams extends Upstreams, ScriptedOffers {
  /** Every call that was written to the upstream. */
  readonly received: DispatchParams[];
  /** What the next calls are answered; the default is a result. */
  answer: (call: DispatchParams) => Promise<DispatchOutcome> | DispatchOutcome;
  reachable: boolean;
  /** Runs just before a session's tools are listed. */
  beforeListing: () => Promise<void>;
  redefine(name: string, change: Partial<ToolDefinition>): void;
}

export const TOOLS: readonly ToolDefinition[] = [
  { name: "read_balance", inputSchema: { type: "object" }, annotations: { readOnlyHint: true } },
  {
    name: "send_money",
    description: "Sends money.",
    inputSchema: {
      type: "object",
      properties: { amount: { type: "number" } },
      required: ["amount"],
      additionalProperties: false,
    },
  },
  { name: "note_down", inputSchema: { type: "object" } },
];

export function createScriptedUpstreams(store: Store, clock: Clock): ScriptedUpstreams {
  const definitions = new Map(TOOLS.map((tool) => [tool.name, tool]));
  const fingerprint = sha256("bank");
  const received: DispatchParams[] = [];
  const catalog = (): CatalogTool[] =>
    [...definitions.values()].map((definition) => ({
      upstream: UPSTREAM,
      upstreamFingerprint: fingerprint,
      name: definition.name,
      exposedName: definition.name,
      definition,
      pin: toolPin(definition),
      safeToRepeat: false,
    }));
  const list = async () => {
    const tools = catalog();
    await store.recordTools({ upstream: UPSTREAM, tools });
    return tools;
  };
  const dispatch = async (call: DispatchParams): Promise<DispatchOutcome> => {
    if (!scripted.reachable) return { kind: "not_sent", late: false, detail: "connection refused" };
    if (clock.monotonicMs() > call.dispatchByMonotonicMs)
      return { kind: "not_sent", late: true, detail: "late" };
    received.push(call);
    return scripted.answer(call);
  };
  const scripted: ScriptedUpstreams = {
    ...createScriptedOffers(),
    received,
    reachable: true,
    answer: () => ({
      kind: "answered",
      result: { content: [{ type: "text", text: "done" }], vendor: { kept: true } },
    }),
    beforeListing: async () => undefined,
    redefine(name, change) {
      const definition = definitions.get(name);
      if (definition !== undefined) definitions.set(name, { ...definition, ...change });
    },
    findTool: (exposedName) => catalog().find((tool) => tool.exposedName === exposedName),
    listTools: catalog,
    readyLive: async () => undefined,
    endSession: () => undefined,
    dispatchLive: dispatch,
    deadlineMs: () => 30_000,
    mayAsk: () => false,
    async openSession(): Promise<UpstreamSession> {
      if (!scripted.reachable) throw new AtlasError("upstream.unreachable", "bank cannot be reached");
      await scripted.beforeListing();
      return {
        upstreamFingerprint: fingerprint,
        tools: await list(),
        dispatch,
        close: async () => undefined,
      };
    },
  };
  return scripted;
}

const SCORES: Readonly<Record<string, number>> = { read_balance: 10, note_down: 40, send_money: 85 };

/** Scores by tool name, so that a test says what it means. */
function assess(name: string): Assessment {
  const score = SCORES[name] ?? 70;
  return {
    risk_score: score,
    classification: classificationOf(score),
    action: score < 70 ? "AUTO_APPROVE" : "PAUSE",
    factors: [],
    rationale: "scripted",
    assessor: "scripted@1",
    read_only: name.startsWith("read_"),
  };
}

/** One gateway process without its network: real store, real use cases, scripted upstream. */
export interface Rig {
  readonly dir: string;
  readonly clock: TestClock;
  readonly store: Store;
  readonly upstreams: ScriptedUpstreams;
  readonly deps: { readonly store: Store } & GovernCallDeps &
    GovernReadDeps &
    DriveCaseDeps &
    EditArgumentsDeps & { readonly undoWithinMs: number };
  readonly agentId: AgentId;
  readonly owner: PersonId;
  readonly reviewer: PersonId;
  /** Ends this process and starts the next one on the same folder. */
  restart(change?: Pick<RigParams, "judging">): Promise<Rig>;
  dispose(): Promise<void>;
}

export interface RigParams {
  readonly rules?: readonly PolicyRule[];
  readonly observe?: boolean;
  /** The model that is asked, for which calls are held for ten seconds. */
  readonly judging?: Judging;
  readonly dir?: string;
  readonly clock?: TestClock;
  /** Another database than a SQLite file in the folder. */
  readonly openStore?: (params: OpenStoreParams & { readonly clock: Clock }) => Promise<Store>;
}

const ASSESS_ALL: readonly PolicyRule[] = [
  { id: "rule-1", upstream: "*", tool: "*", agent: "*", verdict: "assess" },
];

export async function createRig(params: RigParams = {}): Promise<Rig> {
  const dir = params.dir ?? mkdtempSync(path.join(tmpdir(), "atlas-rig-"));
  const clock = params.clock ?? createTestClock();
  const random = secureRandomBytes;
  const writer = newWriterId(random);
  const signingKey = loadOrCreateSigningKey(dir).privateKey;
  const opening = { writer, clock, random, signingKey };
  const store = await (params.openStore === undefined
    ? openSqliteStore({ path: path.join(dir, "atlas.db"), ...opening })
    : params.openStore(opening));
  const rules = params.rules ?? ASSESS_ALL;
  const policy = compilePolicy({ rules, version: policyVersion(rules) });
  await store.activatePolicy(policyVersion(rules));
  const upstreams = createScriptedUpstreams(store, clock);
  await store.recordUpstream({ name: UPSTREAM, fingerprint: sha256("bank") });
  await store.recordTools({ upstream: UPSTREAM, tools: upstreams.listTools() });
  const ids = { agentId: "teller" as AgentId, owner: "olga" as PersonId, reviewer: "sarah" as PersonId };
  if ((await store.getAgent(ids.agentId)) === null) {
    await store.addPerson({ id: ids.owner, roles: ["reviewer"], tokenSha256: sha256("owner"), by: null });
    await store.addPerson({
      id: ids.reviewer,
      roles: ["reviewer"],
      tokenSha256: sha256("reviewer"),
      by: null,
    });
    await store.addAgent({ id: ids.agentId, ownerId: ids.owner, keySha256: sha256("agent"), by: null });
  }
  const deps: Rig["deps"] = {
    store,
    upstreams,
    policy,
    assessor: { assess: (call) => assess(call.definition.name) },
    schemas: createArgumentSchemas(),
    threshold: 70,
    isTrusted: () => false,
    isObserved: () => params.observe ?? false,
    clock,
    random,
    writer,
    reviewForMs: 24 * 3_600_000,
    runWithinMs: 3_600_000,
    undoWithinMs: 0,
    holdMs: params.judging === undefined ? 0 : 10_000,
    judging: params.judging,
    maxResultBytes: 10_000,
    requestStates: createRequestStates(new Uint8Array(32), clock, random),
    running: new Map(),
    meter: { answered: () => undefined, dispatched: () => undefined },
    assessing: new Map(),
    otherWritersAreDead: true,
  };
  return {
    dir,
    clock,
    store,
    upstreams,
    deps,
    ...ids,
    async restart(change) {
      await store.close();
      return createRig({ ...params, ...change, dir, clock });
    },
    async dispose() {
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
