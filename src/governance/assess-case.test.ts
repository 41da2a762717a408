import { afterEach, describe, expect, test, vi } from "vitest";
import type { CaseRef } from "../domain/ids.ts";
import { compilePolicy, type PolicyRule, policyVersion } from "../policy/policy.ts";
import { assessCase } from "./assess-case.ts";
import { checkStatus } from "./check-status.ts";
import { driveCase } from "./drive-case.ts";
import { type GovernCallDeps, governCall } from "./govern-call.ts";
import { failed, type ScriptedJudging, scored, scriptedJudging } from "./judge.testing.ts";
import type { CallAnswer, RawCall } from "./raw-call.ts";
import { recordDecision } from "./record-decision.ts";
import { createRig, type Rig } from "./rig.testing.ts";

let rig: Rig;
let judging: ScriptedJudging;
afterEach(() => rig.dispose());

async function begin(
  first: Parameters<typeof scriptedJudging>[0],
  rules?: readonly PolicyRule[],
): Promise<void> {
  judging = scriptedJudging(first);
  rig = await createRig({ judging, ...(rules && { rules }) });
}

const call = (change: Partial<RawCall> = {}, deps: GovernCallDeps = rig.deps): Promise<CallAnswer> =>
  governCall(
    {
      agentId: rig.agentId,
      exposedName: "note_down",
      argumentsText: '{"text":"hi"}',
      metaText: null,
      ...change,
    },
    deps,
  );
const onlyCase = async () => {
  const cases = await rig.store.listCases({ limit: 10 });
  expect(cases).toHaveLength(1);
  const [current] = cases;
  if (current === undefined) throw new Error("there is no case");
  return current;
};
/** Waits until the model has been asked, so that the case is being assessed. */
async function assessing(): Promise<CaseRef> {
  await vi.waitFor(() => expect(judging.asked).toHaveLength(1));
  const current = await onlyCase();
  expect(current.state).toBe("ASSESSING");
  return current.ref;
}
const verdictRule = (verdict: PolicyRule["verdict"]): readonly PolicyRule[] => [
  { id: "rule-2", upstream: "*", tool: "*", agent: "*", verdict },
];
async function changePolicy(verdict: PolicyRule["verdict"]): Promise<void> {
  const rules = verdictRule(verdict);
  const version = policyVersion(rules);
  Object.assign(rig.deps, { policy: compilePolicy({ rules, version }) });
  await rig.store.activatePolicy(version);
}

describe("a call that a model scores", () => {
  test("below the threshold runs in the same answer, and is on record with what the model said", async () => {
    await begin(scored(45));
    expect(await call()).toMatchObject({ kind: "result" });
    const current = await onlyCase();
    expect(current).toMatchObject({
      state: "SUCCEEDED",
      authorization: "auto",
      riskScore: 45,
      assessor: "scripted:model+scripted@1",
    });
    expect(judging.asked[0]).toMatchObject({ arguments: { text: "hi" }, definition: { name: "note_down" } });
    expect(JSON.parse((await rig.store.getPayload(current.ref, "judgement")) ?? "")).toMatchObject({
      judge: "scripted:model",
      score: 45,
    });
    expect(await rig.store.getPayload(current.ref, "result")).toBeNull();
    expect(rig.upstreams.received).toHaveLength(1);
  });

  test("from the threshold on waits for a human", async () => {
    await begin(scored(70));
    expect(await call()).toMatchObject({
      kind: "pending",
      case: { state: "AWAITING_REVIEW", riskScore: 70 },
    });
    expect(await onlyCase()).toMatchObject({ reasonId: "risk.above_threshold" });
    expect((await rig.store.dueMessages(10)).map((m) => m.topic)).toEqual(["review.requested"]);
    expect(rig.upstreams.received).toEqual([]);
  });

  test("is not lowered below what the rules know", async () => {
    await begin(scored(0));
    await call();
    expect(await onlyCase()).toMatchObject({ riskScore: 40 });
  });

  test.each([
    "timeout",
    "unreachable",
    "refused",
    "malformed",
    "misconfigured",
    "too_long",
    "over_budget",
    "not_trusted",
  ] as const)("waits for a human at 100 when the model has no answer: %s", async (cause) => {
    await begin(failed(cause));
    expect(await call()).toMatchObject({ kind: "pending", case: { state: "AWAITING_REVIEW" } });
    const current = await onlyCase();
    expect(current).toMatchObject({ riskScore: 100, reasonId: "risk.assessor_failed" });
    expect(await rig.store.getPayload(current.ref, "assessment")).toContain(`[${cause}]`);
    expect(rig.upstreams.received).toEqual([]);
  });

  test("that was understood as a read may be repeated, one that was not may not", async () => {
    await begin(scored(5));
    await call({ exposedName: "read_balance", argumentsText: "{}" });
    expect(await onlyCase()).toMatchObject({ safeToRepeat: true });
    judging.says(scored(50));
    rig.clock.advance(1);
    await call({ exposedName: "read_balance", argumentsText: '{"a":1}' });
    expect((await rig.store.listCases({ limit: 1 }))[0]).toMatchObject({
      riskScore: 50,
      safeToRepeat: false,
    });
  });
});

describe("a model is not asked", () => {
  test.each([
    ["where a rule allows", "allow", "note_down", "SUCCEEDED"],
    ["where a rule denies", "deny", "note_down", "DENIED"],
    ["where a rule wants a human", "review", "note_down", "AWAITING_REVIEW"],
    ["where the rules alone pause the call", "assess", "send_money", "AWAITING_REVIEW"],
  ] as const)("%s", async (_name, verdict, tool, state) => {
    await begin(scored(0), verdictRule(verdict));
    await call({ exposedName: tool, argumentsText: '{"amount":1}' });
    expect(await onlyCase()).toMatchObject({ state });
    expect(judging.asked).toEqual([]);
  });

  test("where nothing is held", async () => {
    await begin(null);
    await call({}, { ...rig.deps, isObserved: () => true });
    expect(await onlyCase()).toMatchObject({ state: "SUCCEEDED" });
    expect(judging.asked).toEqual([]);
  });

  test("about a tool that changed", async () => {
    await begin(scored(0));
    rig.upstreams.redefine("note_down", { description: "Something else." });
    await rig.store.recordTools({ upstream: "bank", tools: rig.upstreams.listTools() });
    expect(await call()).toMatchObject({ kind: "pending", case: { reasonId: "tool.changed" } });
    expect(judging.asked).toEqual([]);
  });
});

describe("a model that thinks longer than the call is held", () => {
  test("leaves the agent with the reference, and the case runs without it, its result kept", async () => {
    await begin(null);
    const answer = await call({}, { ...rig.deps, holdMs: 0 });
    expect(answer).toMatchObject({ kind: "pending", case: { state: "ASSESSING" } });
    const ref = await assessing();
    judging.says(scored(45));
    await driveCase(ref, rig.deps);
    expect(await onlyCase()).toMatchObject({ state: "SUCCEEDED" });
    const report = await checkStatus({ agentId: rig.agentId, ref, waitMs: 0 }, rig.store);
    expect(report?.resultText).toContain("done");
    expect(judging.asked).toHaveLength(1);
    expect(rig.upstreams.received).toHaveLength(1);
  });

  test("an agent that goes away finds its result later as well", async () => {
    await begin(null);
    const gone = new AbortController();
    const answer = call({ signal: gone.signal });
    const ref = await assessing();
    gone.abort();
    expect(await answer).toMatchObject({ kind: "pending", case: { ref } });
    judging.says(scored(45));
    await driveCase(ref, rig.deps);
    expect(await rig.store.getPayload(ref, "result")).not.toBeNull();
  });

  test("the same call meanwhile joins: one question, one run, one answer for both", async () => {
    await begin(null);
    const first = call();
    const ref = await assessing();
    const second = call();
    judging.says(scored(45));
    expect(await first).toMatchObject({ kind: "result" });
    expect(await second).toEqual(await first);
    expect(judging.asked).toHaveLength(1);
    expect(rig.upstreams.received).toHaveLength(1);
    expect((await onlyCase()).ref).toBe(ref);
  });

  test("a call that joined and a run without an agent: the kept result is the answer", async () => {
    await begin(null);
    await call({}, { ...rig.deps, holdMs: 0 });
    const ref = await assessing();
    const second = call();
    judging.says(scored(45));
    await driveCase(ref, rig.deps);
    expect(await second).toMatchObject({ kind: "result" });
  });
});

describe("while a case is being assessed", () => {
  test("it can be withdrawn; the question is broken off and its answer comes to nothing", async () => {
    await begin(null);
    const answer = call();
    const ref = await assessing();
    await rig.store.withdraw({ ref, actor: { kind: "agent", id: rig.agentId } });
    expect(await answer).toMatchObject({ kind: "refused", reasonId: "request.withdrawn" });
    expect(judging.stopped()).toBe(1);
    judging.says(scored(0));
    await driveCase(ref, rig.deps);
    expect(await onlyCase()).toMatchObject({ state: "CANCELLED" });
    expect(rig.upstreams.received).toEqual([]);
  });

  test("nobody can decide it yet", async () => {
    await begin(null);
    void call();
    const ref = await assessing();
    const decided = await recordDecision(
      { ref, personId: rig.reviewer, decision: "APPROVED", digestShown: null, reason: null },
      { ...rig.deps, engine: { wake: () => undefined }, editing: rig.deps, singleOperator: false },
    );
    expect(decided).toMatchObject({ kind: "not_open", case: { state: "ASSESSING" } });
    judging.says(scored(100));
  });

  test("a kill switch lets it be assessed, but not run", async () => {
    await begin(null);
    const answer = call();
    const ref = await assessing();
    const everything = { scope: "all", target: "*", by: null } as const;
    await rig.store.engageKillSwitch({ ...everything, reason: "stop" });
    judging.says(scored(45));
    expect(await answer).toMatchObject({ kind: "pending", case: { state: "AUTHORIZED" } });
    await driveCase(ref, rig.deps);
    expect(rig.upstreams.received).toEqual([]);
    await rig.store.releaseKillSwitch({ ...everything, reason: null });
    await driveCase(ref, rig.deps);
    expect(await onlyCase()).toMatchObject({ state: "SUCCEEDED" });
    expect(rig.upstreams.received).toHaveLength(1);
  });

  test.each([
    [
      "its agent is revoked",
      () => rig.store.revokeAgent({ id: rig.agentId, by: null }),
      "DENIED",
      "agent.revoked",
    ],
    ["a rule comes to deny it", () => changePolicy("deny"), "DENIED", "policy.denied"],
    ["a rule comes to want a human", () => changePolicy("review"), "AWAITING_REVIEW", "policy.review"],
    [
      "its tool changes",
      async () => {
        rig.upstreams.redefine("note_down", { description: "Something else." });
        await rig.store.recordTools({ upstream: "bank", tools: rig.upstreams.listTools() });
      },
      "AWAITING_REVIEW",
      "tool.changed",
    ],
    [
      "its upstream changes",
      () => rig.store.recordUpstream({ name: "bank", fingerprint: "f".repeat(64) as never }),
      "AWAITING_REVIEW",
      "upstream.changed",
    ],
  ] as const)("%s: that counts, not the score", async (_name, change, state, reasonId) => {
    await begin(null);
    const answer = call();
    await assessing();
    await change();
    judging.says(scored(0));
    await answer;
    expect(await onlyCase()).toMatchObject({ state, reasonId });
    expect(rig.upstreams.received).toEqual([]);
  });

  test("what an admin comes to say of the tool is told to the model, which is asked again", async () => {
    await begin(null);
    const answer = call();
    await assessing();
    const tool = rig.upstreams.findTool("note_down");
    if (tool === undefined) throw new Error("there is no such tool");
    const manifest = { class: "read", reversible: true, data: [] } as const;
    const { upstream, name, pin } = tool;
    await rig.store.acceptTool({ upstream, name, pin, manifest, safeToRepeat: null, by: null });
    judging.says(scored(45));
    expect(await answer).toMatchObject({ kind: "result" });
    expect(judging.asked.map((asked) => asked.manifest)).toEqual([undefined, manifest]);
    expect(await onlyCase()).toMatchObject({ state: "SUCCEEDED" });
  });

  test("a gateway that stops leaves it, and the next one assesses it again", async () => {
    await begin(null);
    const answer = call();
    const ref = await assessing();
    judging.judge.close();
    expect(await answer).toMatchObject({ kind: "pending", case: { state: "ASSESSING" } });
    judging = scriptedJudging(scored(45));
    rig = await rig.restart({ judging });
    await driveCase(ref, rig.deps);
    expect(await onlyCase()).toMatchObject({ state: "SUCCEEDED", riskScore: 45 });
    expect(judging.asked).toHaveLength(1);
  });

  test("a model that is gone from the configuration leaves it to the rules", async () => {
    await begin(null);
    void call();
    const ref = await assessing();
    judging.judge.close();
    await driveCase(ref, { ...rig.deps, judging: undefined, assessing: new Map() });
    expect(await onlyCase()).toMatchObject({ state: "SUCCEEDED", riskScore: 40, assessor: "scripted@1" });
  });

  test("a score that cannot be recorded is not acted on, and the case is looked at again", async () => {
    await begin(scored(45));
    const record = rig.store.recordAssessment.bind(rig.store);
    rig.deps.store.recordAssessment = () => Promise.reject(new Error("disk full"));
    expect(await call()).toMatchObject({ kind: "pending", case: { state: "ASSESSING" } });
    expect(rig.upstreams.received).toEqual([]);
    rig.deps.store.recordAssessment = record;
    const { ref } = await onlyCase();
    await driveCase(ref, rig.deps);
    expect(await onlyCase()).toMatchObject({ state: "SUCCEEDED" });
  });

  test("assessed twice at once it is recorded once", async () => {
    await begin(null);
    await call({}, { ...rig.deps, holdMs: 0 });
    const ref = await assessing();
    const other = assessCase(ref, { ...rig.deps, assessing: new Map() });
    judging.says(scored(45));
    const results = await Promise.all([assessCase(ref, rig.deps), other]);
    expect(new Set(results.map((r) => r?.kind))).toEqual(new Set(["assessed", "not_assessing"]));
  });
});
