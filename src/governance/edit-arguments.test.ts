import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Case } from "../domain/case.ts";
import type { CaseRef } from "../domain/ids.ts";
import { checkStatus } from "./check-status.ts";
import { driveCase } from "./drive-case.ts";
import { governCall } from "./govern-call.ts";
import { recordDecision } from "./record-decision.ts";
import { createRig, type Rig } from "./rig.testing.ts";

let rig: Rig;
let waiting: Case;
beforeEach(async () => {
  rig = await createRig();
  const call = {
    agentId: rig.agentId,
    exposedName: "send_money",
    argumentsText: '{"amount":100}',
    metaText: null,
  };
  const answer = await governCall(call, rig.deps);
  if (answer.kind !== "pending") throw new Error(`not pending but ${answer.kind}`);
  waiting = answer.case;
});
afterEach(() => rig.dispose());

const approve = (argumentsText: string | undefined, digestShown: string | null = waiting.actionDigest) =>
  recordDecision(
    {
      ref: waiting.ref,
      personId: rig.reviewer,
      decision: "APPROVED",
      digestShown,
      reason: null,
      ...(argumentsText !== undefined && { argumentsText }),
    },
    { ...rig.deps, engine: { wake: () => undefined }, editing: rig.deps, singleOperator: false },
  );

const run = async (ref: CaseRef) => {
  await driveCase(ref, rig.deps);
  return rig.upstreams.received.map((c) => c.argumentsText);
};

describe("edit and approve", () => {
  test("runs the reviewer's bytes, keeps the agent's, and names both digests", async () => {
    const result = await approve('{ "amount" : 50.0 }');
    expect(result).toMatchObject({ kind: "recorded", case: { state: "AUTHORIZED", authorization: "human" } });
    expect(await run(waiting.ref)).toEqual(['{"amount":50.0}']);
    const after = await rig.store.getCase(waiting.ref);
    expect(after?.actionDigest).not.toBe(waiting.actionDigest);
    expect(after).toMatchObject({ state: "SUCCEEDED", authorizedDigest: after?.actionDigest });
    expect(await rig.store.getPayload(waiting.ref, "original_arguments")).toBe('{"amount":100}');
  });

  test("the agent is told what changed", async () => {
    await approve('{"amount":50}');
    await run(waiting.ref);
    const report = await checkStatus({ agentId: rig.agentId, ref: waiting.ref, waitMs: 0 }, rig.store);
    expect(report).toMatchObject({
      editedText: '{"amount":50}',
      editedMembers: [{ pointer: "/amount", kind: "changed" }],
      case: { state: "SUCCEEDED" },
    });
  });

  test.each([
    ["a text that is not JSON", '{"amount":', /not valid JSON/],
    ["a key twice", '{"amount":1,"amount":2}', /twice.*\/amount/],
    ["arguments that do not fit the schema", '{"amount":"ten"}', /arguments\/amount must be number/],
    ["an undeclared argument", '{"amount":1,"x":1}', /additional properties/],
    ["no object", "[1]", /must be an object/],
  ])("is refused with %s, and the case stays", async (_name, text, detail) => {
    expect(await approve(text)).toEqual({ kind: "edit_invalid", detail: expect.stringMatching(detail) });
    expect((await rig.store.getCase(waiting.ref))?.state).toBe("AWAITING_REVIEW");
  });

  test("is refused on a digest that is not on record, and when policy denies it now", async () => {
    expect(await approve('{"amount":50}', "0".repeat(64))).toMatchObject({ kind: "stale_digest" });
    const { version } = rig.deps.policy.evaluate({
      upstream: "bank",
      tool: "send_money",
      agentId: rig.agentId,
    });
    Object.assign(rig.deps, {
      policy: { evaluate: () => ({ verdict: "deny", ruleId: "no", version, reasonId: "policy.denied" }) },
    });
    expect(await approve('{"amount":50}')).toMatchObject({
      kind: "edit_denied",
      case: { state: "AWAITING_REVIEW" },
    });
  });

  test("is ruled on anew while the policy changes under it, and given up if that does not end", async () => {
    await rig.store.activatePolicy("another");
    expect(await approve('{"amount":50}')).toMatchObject({ kind: "edit_invalid" });
    expect((await rig.store.getCase(waiting.ref))?.state).toBe("AWAITING_REVIEW");
  });

  test("sent twice is answered as the first time; other arguments, or none, are another decision", async () => {
    await approve('{"amount":50}');
    expect(await approve('{"amount":50}')).toMatchObject({ kind: "recorded", repeated: true });
    expect(await approve('{"amount":60}')).toMatchObject({ kind: "not_open" });
    expect(await approve(undefined)).toMatchObject({ kind: "not_open" });
  });

  test("the agent's old call does not join the edited one", async () => {
    await approve('{"amount":50}');
    const call = {
      agentId: rig.agentId,
      exposedName: "send_money",
      argumentsText: '{"amount":100}',
      metaText: null,
    };
    const again = await governCall(call, rig.deps);
    expect(again).toMatchObject({ kind: "pending", case: { state: "AWAITING_REVIEW" } });
  });
});
