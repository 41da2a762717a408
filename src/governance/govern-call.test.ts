import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Case } from "../domain/case.ts";
import { sha256 } from "../domain/digest.ts";
import type { AgentId, CaseRef } from "../domain/ids.ts";
import { driveCase } from "./drive-case.ts";
import { governCall } from "./govern-call.ts";
import type { CallAnswer } from "./raw-call.ts";
import { recordDecision } from "./record-decision.ts";
import { createRig, type Rig } from "./rig.testing.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.dispose());

const call = (exposedName: string, argumentsText = "{}") =>
  governCall({ agentId: rig.agentId, exposedName, argumentsText, metaText: null }, rig.deps);

function pendingRef(answer: CallAnswer): CaseRef {
  if (answer.kind !== "pending") throw new Error(`not pending but ${answer.kind}`);
  return answer.case.ref;
}

const decide = (
  ref: CaseRef,
  decision: "APPROVED" | "REJECTED",
  personId = rig.reviewer,
  digestShown: string | null = null,
) =>
  recordDecision(
    { ref, personId, decision, digestShown, reason: "because" },
    { ...rig.deps, engine: { wake: () => undefined }, editing: rig.deps, singleOperator: false },
  );

async function theCase(ref: CaseRef): Promise<Case> {
  const found = await rig.store.getCase(ref);
  if (found === null) throw new Error("no such case");
  return found;
}

describe("a call that machines can answer", () => {
  test("passes at once, with the upstream's answer untouched", async () => {
    expect(await call("read_balance", '{"b":1.0,"1":2}')).toEqual({
      kind: "result",
      result: { content: [{ type: "text", text: "done" }], vendor: { kept: true } },
    });
    expect(rig.upstreams.received.map((c) => c.argumentsText)).toEqual(['{"b":1.0,"1":2}']);
    const [latest] = await rig.store.listCases({ limit: 1 });
    expect(latest).toMatchObject({ state: "SUCCEEDED", authorization: "auto", riskScore: 10 });
  });

  test("that fails at the upstream is FAILED, and the agent gets the upstream's words", async () => {
    rig.upstreams.answer = () => ({
      kind: "protocol_error",
      error: { code: -32050, message: "broke", data: { x: 1 } },
    });
    expect(await call("note_down")).toEqual({
      kind: "rpc_error",
      error: { code: -32050, message: "broke", data: { x: 1 } },
    });
    rig.clock.advance(1);
    rig.upstreams.answer = () => ({ kind: "answered", result: { isError: true, content: [] } });
    expect((await call("note_down")).kind).toBe("result");
    const reasons = (await rig.store.listCases({ limit: 2 })).map((c) => [c.state, c.reasonId]);
    expect(reasons).toEqual([
      ["FAILED", "upstream.tool_error"],
      ["FAILED", "upstream.protocol_error"],
    ]);
  });

  test("that gets no answer is UNKNOWN, unless it only read", async () => {
    rig.upstreams.answer = () => ({ kind: "no_answer", cause: "timeout" });
    expect(await call("note_down")).toMatchObject({ kind: "refused", reasonId: "upstream.timeout" });
    rig.clock.advance(1);
    expect(await call("read_balance")).toMatchObject({ kind: "refused", reasonId: "upstream.timeout" });
    expect((await rig.store.listCases({ limit: 2 })).map((c) => c.state)).toEqual(["FAILED", "UNKNOWN"]);
  });

  test("is not late because its upstream took long to come up", async () => {
    rig.upstreams.readyLive = async () => rig.clock.advance(60_000);
    expect((await call("note_down")).kind).toBe("result");
  });

  test("that could not be sent is told so and did not run", async () => {
    rig.upstreams.reachable = false;
    expect(await call("note_down")).toMatchObject({ kind: "refused", reasonId: "upstream.unreachable" });
    expect(rig.upstreams.received).toEqual([]);
  });

  test("is told that its run was not recorded when the outcome cannot be written", async () => {
    rig.deps.store.recordOutcome = () => Promise.reject(new Error("disk full"));
    expect(await call("note_down")).toMatchObject({ kind: "refused", reasonId: "outcome.not_recorded" });
  });

  test("is refused, and not sent, when the case cannot be written", async () => {
    rig.deps.store.openCase = () => Promise.reject(new Error("disk full"));
    await expect(call("read_balance")).rejects.toThrow("disk full");
    expect(rig.upstreams.received).toEqual([]);
  });
});

describe("a call that is refused", () => {
  test.each([
    ["an unknown tool", "no_such_tool", "{}", "tool.unknown"],
    ["arguments that do not fit", "send_money", '{"amount":"ten"}', "arguments.invalid"],
    ["an undeclared argument", "send_money", '{"amount":1,"x":2}', "arguments.invalid"],
    ["arguments that are no object", "send_money", "[]", "arguments.invalid"],
  ])("%s", async (_name, tool, argumentsText, reasonId) => {
    expect(await call(tool, argumentsText)).toMatchObject({ kind: "refused", reasonId });
    expect(rig.upstreams.received).toEqual([]);
  });

  test("names the place and the rule of a wrong argument, never its value", async () => {
    const answer = await call("send_money", '{"amount":"s3cret"}');
    expect(answer).toMatchObject({ detail: "arguments/amount must be number" });
  });
});

describe("a call that waits for a human", () => {
  test("is pending at once and runs once after the approval, with the bytes that were shown", async () => {
    const ref = pendingRef(await call("send_money", '{"amount":1.50}'));
    expect(rig.upstreams.received).toEqual([]);
    expect(await decide(ref, "APPROVED")).toMatchObject({ kind: "recorded", repeated: false });
    await Promise.all([driveCase(ref, rig.deps), driveCase(ref, rig.deps), driveCase(ref, rig.deps)]);
    await driveCase(ref, rig.deps);
    expect(rig.upstreams.received.map((c) => c.argumentsText)).toEqual(['{"amount":1.50}']);
    expect(await theCase(ref)).toMatchObject({ state: "SUCCEEDED", authorization: "human" });
    expect(JSON.parse((await rig.store.getPayload(ref, "result")) ?? "")).toMatchObject({
      result: { vendor: { kept: true } },
    });
  });

  test("never runs when it was rejected or withdrawn, or nobody decided in time", async () => {
    const rejected = pendingRef(await call("send_money", '{"amount":1}'));
    await decide(rejected, "REJECTED");
    const withdrawn = pendingRef(await call("send_money", '{"amount":2}'));
    await rig.store.withdraw({ ref: withdrawn, actor: { kind: "agent", id: rig.agentId } });
    const forgotten = pendingRef(await call("send_money", '{"amount":3}'));
    rig.clock.advance(24 * 3_600_000);
    for (const ref of [rejected, withdrawn, forgotten]) await driveCase(ref, rig.deps);
    const states = await Promise.all(
      [rejected, withdrawn, forgotten].map(async (ref) => (await theCase(ref)).state),
    );
    expect(states).toEqual(["REJECTED", "CANCELLED", "EXPIRED"]);
    expect(rig.upstreams.received).toEqual([]);
  });

  test("goes back to review when the tool changed between approval and run, and the old approval is void", async () => {
    const ref = pendingRef(await call("send_money", '{"amount":1}'));
    const shown = (await theCase(ref)).actionDigest;
    await decide(ref, "APPROVED");
    rig.upstreams.redefine("send_money", { description: "Sends money to whoever asks." });
    await driveCase(ref, rig.deps);
    expect(rig.upstreams.received).toEqual([]);
    const back = await theCase(ref);
    expect(back).toMatchObject({ state: "AWAITING_REVIEW", reasonId: "tool.changed", authorization: null });
    expect(back.actionDigest).not.toBe(shown);
    expect(await rig.store.getDefinition(back.toolPin)).toMatchObject({
      description: "Sends money to whoever asks.",
    });
    expect(await decide(ref, "APPROVED")).toMatchObject({ kind: "stale_digest" });
    await decide(ref, "APPROVED", rig.reviewer, back.actionDigest);
    await driveCase(ref, rig.deps);
    expect(rig.upstreams.received).toHaveLength(1);
  });

  test("does not run when its stored bytes are not the ones on record", async () => {
    const ref = pendingRef(await call("send_money", '{"amount":1}'));
    await decide(ref, "APPROVED");
    const getPayload = rig.deps.store.getPayload.bind(rig.deps.store);
    rig.deps.store.getPayload = async (r, kind) =>
      kind === "arguments" ? '{"amount":1000000}' : getPayload(r, kind);
    await expect(driveCase(ref, rig.deps)).rejects.toThrow(/not the ones on record/);
    expect(rig.upstreams.received).toEqual([]);
  });

  test("waits for an upstream that is down, and runs when it is back", async () => {
    const ref = pendingRef(await call("send_money", '{"amount":1}'));
    await decide(ref, "APPROVED");
    rig.upstreams.reachable = false;
    await driveCase(ref, rig.deps);
    expect((await theCase(ref)).state).toBe("AUTHORIZED");
    rig.upstreams.reachable = true;
    await driveCase(ref, rig.deps);
    expect((await theCase(ref)).state).toBe("SUCCEEDED");
  });

  test("whose time to run passed is EXPIRED, not run", async () => {
    const ref = pendingRef(await call("send_money", '{"amount":1}'));
    await decide(ref, "APPROVED");
    rig.clock.advance(3_600_000);
    await driveCase(ref, rig.deps);
    expect(await theCase(ref)).toMatchObject({ state: "EXPIRED", reasonId: "run.expired" });
    expect(rig.upstreams.received).toEqual([]);
  });

  test("that slept past its dispatch-by between claim and dispatch is not sent and gives its claim back", async () => {
    const ref = pendingRef(await call("send_money", '{"amount":1}'));
    await decide(ref, "APPROVED");
    const claim = rig.deps.store.claim.bind(rig.deps.store);
    rig.deps.store.claim = async (params) => {
      const result = await claim(params);
      rig.clock.advance(60_000);
      return result;
    };
    await driveCase(ref, rig.deps);
    expect(rig.upstreams.received).toEqual([]);
    expect(await theCase(ref)).toMatchObject({ state: "AUTHORIZED", reasonId: "dispatch.late", attempts: 1 });
  });

  test("is not sent to another endpoint than the approved one, even if the configuration changed and changed back", async () => {
    const ref = pendingRef(await call("send_money", '{"amount":1}'));
    await decide(ref, "APPROVED");
    const open = rig.upstreams.openSession.bind(rig.upstreams);
    rig.upstreams.openSession = async (name) => ({
      ...(await open(name)),
      upstreamFingerprint: sha256("another endpoint"),
    });
    await driveCase(ref, rig.deps);
    expect(rig.upstreams.received).toEqual([]);
    expect(await theCase(ref)).toMatchObject({ state: "AUTHORIZED", attempts: 1 });
  });

  test("that asks back, which a run after review cannot answer, is FAILED", async () => {
    rig.upstreams.answer = () => ({
      kind: "answered",
      result: { resultType: "input_required", inputRequests: {} },
    });
    const ref = pendingRef(await call("send_money", '{"amount":1}'));
    await decide(ref, "APPROVED");
    await driveCase(ref, rig.deps);
    expect(await theCase(ref)).toMatchObject({ state: "FAILED", reasonId: "upstream.input_required" });
  });
});

describe("in mode observe", () => {
  test.each([
    ["a call that would pause", "send_money", "risk.above_threshold", undefined],
    ["a call that would be denied", "note_down", "policy.denied", "deny"],
  ] as const)(
    "%s runs, and is recorded as it would have been",
    async (_name, tool, observedReasonId, verdict) => {
      await rig.dispose();
      const rules = [
        { id: "r", upstream: "*", tool: "*", agent: "*", verdict: verdict ?? "assess" },
      ] as const;
      rig = await createRig({ rules, observe: true });
      expect((await call(tool, tool === "send_money" ? '{"amount":1}' : "{}")).kind).toBe("result");
      const [latest] = await rig.store.listCases({ observed: true, limit: 5 });
      expect(latest).toMatchObject({ state: "SUCCEEDED", authorization: "policy", observedReasonId });
    },
  );

  test("only the rule that observes lets through, and a kill switch still stops everything", async () => {
    await rig.dispose();
    const any = { upstream: "*", agent: "*", verdict: "review" } as const;
    rig = await createRig({
      rules: [
        { ...any, id: "watched", tool: "note_down", observe: true },
        { ...any, id: "held", tool: "*" },
      ],
    });
    expect((await call("note_down")).kind).toBe("result");
    expect((await call("send_money", '{"amount":1}')).kind).toBe("pending");
    await rig.store.engageKillSwitch({ scope: "all", target: "*", by: null, reason: "drill" });
    expect(await call("note_down")).toMatchObject({ kind: "refused", reasonId: "kill_switch.engaged" });
  });
});

describe("the same call twice", () => {
  test("joins the open case, and after its end makes a new one that names it", async () => {
    const first = pendingRef(await call("send_money", '{"amount":1}'));
    expect(pendingRef(await call("send_money", '{"amount":1}'))).toBe(first);
    expect(pendingRef(await call("send_money", '{"amount":1.0}'))).not.toBe(first);
    await decide(first, "REJECTED");
    const again = await call("send_money", '{"amount":1}');
    expect(pendingRef(again)).not.toBe(first);
    expect(await theCase(pendingRef(again))).toMatchObject({ identicalTo: first });
  });

  test("of another agent is another case", async () => {
    const other = "other-agent" as AgentId;
    await rig.store.addAgent({ id: other, ownerId: rig.owner, keySha256: sha256("other"), by: null });
    const first = pendingRef(await call("send_money", '{"amount":1}'));
    const second = await governCall(
      { agentId: other, exposedName: "send_money", argumentsText: '{"amount":1}', metaText: null },
      rig.deps,
    );
    expect(pendingRef(second)).not.toBe(first);
  });

  test("while it runs gives both callers the one answer of the one run", async () => {
    let finish: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    rig.upstreams.answer = async () => {
      await gate;
      return { kind: "answered", result: { content: [], n: 1 } };
    };
    const deps = { ...rig.deps, holdMs: 30_000 };
    const one = governCall(
      { agentId: rig.agentId, exposedName: "note_down", argumentsText: "{}", metaText: null },
      deps,
    );
    while (rig.upstreams.received.length === 0) await new Promise(setImmediate);
    const two = governCall(
      { agentId: rig.agentId, exposedName: "note_down", argumentsText: "{}", metaText: null },
      deps,
    );
    await new Promise(setImmediate);
    finish();
    expect(await one).toEqual(await two);
    expect(rig.upstreams.received).toHaveLength(1);
  });
});

describe("after a crash", () => {
  test("a claimed run that nobody reported on is UNKNOWN and is not run again", async () => {
    const ref = pendingRef(await call("send_money", '{"amount":1}'));
    await decide(ref, "APPROVED");
    rig.deps.store.recordOutcome = () => Promise.reject(new Error("killed"));
    await driveCase(ref, rig.deps).catch(() => undefined);
    expect((await theCase(ref)).state).toBe("EXECUTING");
    const received = rig.upstreams.received.length;
    rig = await rig.restart();
    await driveCase(ref, rig.deps);
    await driveCase(ref, rig.deps);
    expect(await theCase(ref)).toMatchObject({ state: "UNKNOWN", reasonId: "dispatch.lost" });
    expect([received, rig.upstreams.received.length]).toEqual([1, 0]);
  });

  test("an approved case that was not claimed yet still runs, once", async () => {
    const ref = pendingRef(await call("send_money", '{"amount":1}'));
    await decide(ref, "APPROVED");
    rig = await rig.restart();
    await driveCase(ref, rig.deps);
    await driveCase(ref, rig.deps);
    expect((await theCase(ref)).state).toBe("SUCCEEDED");
    expect(rig.upstreams.received).toHaveLength(1);
  });
});
