import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Assessment } from "../domain/assessment.ts";
import type { Case } from "../domain/case.ts";
import type { Clock } from "../domain/clock.ts";
import { sha256 } from "../domain/digest.ts";
import {
  type AgentId,
  newCaseRef,
  newWriterId,
  type PersonId,
  type RandomBytes,
  randomHex,
  type WriterId,
} from "../domain/ids.ts";
import type { CatalogTool } from "../domain/tool.ts";
import type { Store } from "../governance/ports.ts";
import type { ClaimParams } from "../governance/transitions/claim.ts";
import type { DecisionParams } from "../governance/transitions/decision.ts";
import type { OpenCaseParams, OpenCaseResult } from "../governance/transitions/open-case.ts";
import type { OutcomeParams } from "../governance/transitions/outcome.ts";
import { payload } from "../governance/transitions/plan.ts";
import type { Ruling } from "../governance/transitions/ruling.ts";

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  advance(ms: number): void;
}

export function fakeClock(startMs = Date.parse("2026-11-21T12:00:00Z")): FakeClock {
  let now = startMs;
  return {
    nowMs: () => now,
    monotonicMs: () => now - startMs,
    advance(ms) {
      now += ms;
    },
  };
}

/** Bytes that look random and are the same in every run; each seed has its own. */
export function fakeRandom(seed: string): RandomBytes {
  let count = 0;
  return (size) => createHash("shake256", { outputLength: size }).update(`${seed}/${count++}`).digest();
}

export const testSigningKey: KeyObject = generateKeyPairSync("ed25519").privateKey;

export interface OpenParams {
  readonly writer: WriterId;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly signingKey: KeyObject;
  readonly besideGateway?: boolean;
}

/** One database as the suite needs it, whatever product it is. */
export interface TestDatabase {
  /** Opens a store on it; several times at once and again after a close. */
  open(params: OpenParams): Promise<Store>;
  /** Runs a statement beside the store, for what no command can do; returns its rows. */
  sql(text: string): Promise<readonly Record<string, unknown>[]>;
  destroy(): Promise<void>;
}

export const HOUR_MS = 3_600_000;
export const REVIEW_FOR_MS = 24 * HOUR_MS;
export const RUN_WITHIN_MS = 3_600_000;
export const SETTLE_WITHIN_MS = 90_000;

export const AGENT = "billing-bot" as AgentId;
export const OWNER = "olga" as PersonId;
export const SARAH = "sarah" as PersonId;
/** A second reviewer. */
export const RITA = "rita" as PersonId;
export const ADMIN = "adam" as PersonId;
export const AGENT_KEY = sha256("agent key");
export const SARAH_TOKEN = sha256("sarah token");
export const POLICY = "policy-1";

export const allowed: Ruling = { to: "AUTHORIZED", authorization: "policy", reasonId: "policy.allowed" };
export const autoApproved: Ruling = {
  to: "AUTHORIZED",
  authorization: "auto",
  reasonId: "risk.below_threshold",
};
export const toReview: Ruling = { to: "AWAITING_REVIEW", reasonId: "risk.above_threshold" };
export const denied: Ruling = { to: "DENIED", reasonId: "policy.denied" };

const definition = { name: "pay", description: "Pays a benefit.", inputSchema: { type: "object" } };

export const TOOL: CatalogTool = {
  upstream: "welfare",
  upstreamFingerprint: sha256("welfare command line"),
  name: "pay",
  exposedName: "welfare_pay",
  definition,
  pin: sha256("pay definition"),
  safeToRepeat: false,
};

export const assessment: Assessment = {
  risk_score: 85,
  classification: "HIGH_RISK",
  action: "PAUSE",
  factors: [],
  rationale: "Moves money.",
  assessor: "embedded@1",
  read_only: false,
};

/** One gateway's store on a test database with a registered agent, four people, an upstream, a tool and a policy. */
export interface Gateway {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly random: RandomBytes;
  readonly writer: WriterId;
  openParams(change?: Partial<OpenCaseParams> & { readonly argumentsText?: string }): OpenCaseParams;
  /** Opens a case and returns it. */
  opened(change?: Partial<OpenCaseParams> & { readonly argumentsText?: string }): Promise<OpenedCase>;
  /** Opens a case that waits for a human and lets Sarah approve it. */
  approved(): Promise<Case>;
  claimParams(current: Case, policy?: Partial<ClaimParams["policy"]>): ClaimParams;
  decision(current: Case, change?: Partial<DecisionParams>): DecisionParams;
  outcome(current: Case, change?: Partial<OutcomeParams>): OutcomeParams;
}

export type OpenedCase = Extract<OpenCaseResult, { kind: "opened" }>;

export async function openGateway(
  database: Pick<TestDatabase, "open">,
  options: { readonly clock?: FakeClock; readonly name?: string; readonly besideGateway?: boolean } = {},
): Promise<Gateway> {
  const clock = options.clock ?? fakeClock();
  const random = fakeRandom(options.name ?? "first");
  const writer = newWriterId(random);
  const store = await database.open({
    writer,
    clock,
    random,
    signingKey: testSigningKey,
    besideGateway: options.besideGateway ?? false,
  });
  return gatewayOn({ store, clock, random, writer });
}

/** Registers what calls need; once for each database. */
export async function setUp(store: Store): Promise<void> {
  await store.addPerson({ id: OWNER, roles: ["reviewer"], tokenSha256: null, by: null });
  await store.addPerson({ id: SARAH, roles: ["reviewer"], tokenSha256: SARAH_TOKEN, by: null });
  await store.addPerson({ id: RITA, roles: ["reviewer"], tokenSha256: null, by: null });
  await store.addPerson({ id: ADMIN, roles: ["admin"], tokenSha256: null, by: null });
  await store.addAgent({ id: AGENT, ownerId: OWNER, keySha256: AGENT_KEY, by: null });
  await store.recordUpstream({ name: TOOL.upstream, fingerprint: TOOL.upstreamFingerprint });
  await store.recordTools({ upstream: TOOL.upstream, tools: [TOOL] });
  await store.activatePolicy(POLICY);
}

function gatewayOn(parts: Pick<Gateway, "store" | "clock" | "random" | "writer">): Gateway {
  const { store, random, writer } = parts;
  let calls = 0;

  function openParams(change: Parameters<Gateway["openParams"]>[0] = {}): OpenCaseParams {
    const { argumentsText = `{"call":${calls++}}`, ...rest } = change;
    return {
      ref: newCaseRef(random),
      writer,
      policy: { verdict: "assess", ruleId: "rule-1", version: POLICY },
      settleWithinMs: SETTLE_WITHIN_MS,
      reviewForMs: REVIEW_FOR_MS,
      runWithinMs: RUN_WITHIN_MS,
      nonce: randomHex(16, random),
      agentId: AGENT,
      tool: TOOL,
      arguments: payload("arguments", argumentsText, random),
      meta: null,
      assessment: { value: assessment, payload: payload("assessment", JSON.stringify(assessment), random) },
      threshold: 70,
      ruling: toReview,
      safeToRepeat: false,
      observe: false,
      acceptanceRevision: null,
      ...rest,
    };
  }

  async function opened(change?: Parameters<Gateway["opened"]>[0]): Promise<OpenedCase> {
    const result = await store.openCase(openParams(change));
    if (result.kind !== "opened") throw new Error(`expected a new case, got ${result.kind}`);
    return result;
  }

  const decision: Gateway["decision"] = (current, change) => ({
    ref: current.ref,
    personId: SARAH,
    decision: "APPROVED",
    digestShown: current.actionDigest,
    reason: null,
    runWithinMs: RUN_WITHIN_MS,
    undoWithinMs: 0,
    writer,
    via: null,
    edit: null,
    singleOperator: false,
    ...change,
  });

  return {
    ...parts,
    openParams,
    opened,
    decision,
    async approved() {
      const { case: waiting } = await opened();
      const result = await store.recordDecision(decision(waiting));
      if (result.kind !== "recorded") throw new Error(`expected a recorded decision, got ${result.kind}`);
      return result.case;
    },
    claimParams: (current, policy) => ({
      ref: current.ref,
      writer,
      policy: { verdict: "assess", ruleId: "rule-1", version: POLICY, ...policy },
      settleWithinMs: SETTLE_WITHIN_MS,
      reviewForMs: REVIEW_FOR_MS,
      newNonce: randomHex(16, random),
    }),
    outcome: (current, change) => ({
      ref: current.ref,
      writer,
      token: current.fencingToken ?? -1,
      to: "SUCCEEDED",
      reasonId: "upstream.answered",
      resultSha256: sha256("result"),
      result: null,
      reported: false,
      ...change,
    }),
  };
}
