import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { compilePolicy, type PolicyRule } from "../policy/policy.ts";
import { governCall } from "./govern-call.ts";
import { recordDecision } from "./record-decision.ts";
import { createRig, type Rig } from "./rig.testing.ts";
import { type RuleSuggestion, suggestRules } from "./suggest-rule.ts";

let rig: Rig;
let amount = 0;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.dispose());

const ASSESS = { id: "rest", upstream: "*", tool: "*", agent: "*", verdict: "assess" } as const;

type Said = "APPROVED" | "REJECTED" | "EDITED" | "UNDONE";

async function decide(said: Said, exposedName = "send_money"): Promise<void> {
  amount += 1;
  const argumentsText = `{"amount":${amount}}`;
  const call = { agentId: rig.agentId, exposedName, argumentsText, metaText: null };
  const answer = await governCall(call, rig.deps);
  if (answer.kind !== "pending") throw new Error(`not pending but ${answer.kind}`);
  const { ref } = answer.case;
  const result = await recordDecision(
    {
      ref,
      personId: rig.reviewer,
      decision: said === "REJECTED" ? "REJECTED" : "APPROVED",
      digestShown: null,
      reason: null,
      ...(said === "EDITED" && { argumentsText: `{"amount":${amount + 1_000_000}}` }),
    },
    { ...rig.deps, engine: { wake: () => undefined }, editing: rig.deps, singleOperator: false },
  );
  expect(result.kind).toBe("recorded");
  if (said === "UNDONE") await rig.store.undo({ ref, personId: rig.reviewer });
  rig.clock.advance(1);
}

async function approve(times: number): Promise<void> {
  for (let i = 0; i < times; i++) await decide("APPROVED");
}

const suggestions = (change: Partial<Rig["deps"]> = {}) =>
  suggestRules(null, { ...rig.deps, ...change, store: rig.store });

async function only(change: Partial<Rig["deps"]> = {}): Promise<RuleSuggestion> {
  const [suggestion, ...others] = await suggestions(change);
  expect(others).toEqual([]);
  if (suggestion === undefined) throw new Error("no suggestion");
  return suggestion;
}

describe("suggestRules", () => {
  test("is silent after nine approvals and speaks after the tenth, with what it rests on", async () => {
    await approve(9);
    expect(await suggestions()).toEqual([]);
    await approve(1);
    const suggestion = await only();
    expect(suggestion).toMatchObject({ agentId: rig.agentId, upstream: "bank", tool: "send_money" });
    expect(suggestion).toMatchObject({ approvals: 10, highestScore: 85 });
    const newest = await rig.store.listCases({ limit: 10 });
    expect(suggestion.refs).toEqual(newest.map((one) => one.ref));
    for (const ref of suggestion.refs) expect(suggestion.yaml).toContain(ref);
    const of = { ...suggestion };
    expect(await suggestRules(of, { ...rig.deps, store: rig.store })).toEqual([suggestion]);
    expect(await suggestRules({ ...of, tool: "note_down" }, { ...rig.deps, store: rig.store })).toEqual([]);
  });

  test.each(["REJECTED", "EDITED", "UNDONE"] as const)(
    "says nothing where one of them was %s",
    async (said) => {
      await decide(said);
      await approve(11);
      expect(await suggestions()).toEqual([]);
    },
  );

  test("changes nothing by itself; pasted, it speaks of this call and no other", async () => {
    await approve(10);
    const { yaml } = await only();
    const held = rig.deps.policy.evaluate({ upstream: "bank", tool: "send_money", agentId: rig.agentId });
    expect(held.verdict).toBe("assess");
    const rules = parse(yaml) as readonly PolicyRule[];
    expect(rules).toEqual([
      {
        id: expect.stringMatching(/^[A-Za-z0-9][\w.-]{0,63}$/),
        upstream: "bank",
        tool: "send_money",
        agent: "teller",
        verdict: "allow",
      },
    ]);
    const policy = compilePolicy({ rules: [...rules, ASSESS], version: "pasted" });
    const verdictOf = (change: object) => {
      const subject = { upstream: "bank", tool: "send_money", agentId: "teller", ...change };
      return policy.evaluate(subject).verdict;
    };
    expect(verdictOf({})).toBe("allow");
    for (const other of [{ tool: "send_money_" }, { upstream: "banks" }, { agentId: "teller-2" }])
      expect(verdictOf(other)).toBe("assess");
    // Where the rule is in force there is nothing to suggest any more.
    expect(await suggestions({ policy })).toEqual([]);
  });

  test("warns of a high score and of what nobody confirmed to be reversible", async () => {
    await approve(10);
    const { warnings, yaml } = await only();
    expect(warnings).toEqual([
      expect.stringContaining("score up to 85, and pause from 70 on"),
      "Nobody confirmed that what this tool does can be taken back.",
    ]);
    for (const warning of warnings) expect(yaml).toContain(`# WARNING: ${warning}`);
    const pin = (await rig.store.listToolPins()).find((tool) => tool.name === "send_money");
    if (pin?.currentPin == null) throw new Error("the tool is gone");
    const manifest = { class: "money", reversible: false, data: [] } as const;
    const accepted = { upstream: "bank", name: "send_money", pin: pin.currentPin, by: null };
    await rig.store.acceptTool({ ...accepted, manifest, safeToRepeat: null });
    expect((await only()).warnings).toContain(
      "An admin confirmed that what this tool does cannot be taken back.",
    );
  });

  test("lets the score go on guarding where only a rule held the calls", async () => {
    await approve(10);
    const { yaml, warnings } = await only({ threshold: 90 });
    expect(yaml).toContain("verdict: assess");
    expect(warnings).toEqual([]);
  });

  test("forgets what was approved of another definition", async () => {
    await approve(10);
    rig.upstreams.redefine("send_money", { description: "Sends other people's money." });
    await rig.store.recordTools({ upstream: "bank", tools: rig.upstreams.listTools() });
    const [approved] = await suggestions();
    const now = rig.upstreams.findTool("send_money");
    expect(approved?.toolPin).not.toBe(now?.pin);
    if (approved === undefined || now === undefined) throw new Error("gone");
    expect(await suggestRules({ ...approved, toolPin: now.pin }, { ...rig.deps, store: rig.store })).toEqual(
      [],
    );
  });

  test("is silent of a name that a pattern would read as more, and quotes every other", async () => {
    const call = { agentId: rig.agentId, upstream: "bank", toolPin: rig.upstreams.listTools()[0]?.pin };
    const approvedCalls = (tool: string) => async () =>
      [{ ...call, tool, approvals: 10, highestScore: 85, refs: [] }] as never;
    const under = (tool: string) =>
      suggestRules(null, { ...rig.deps, store: { ...rig.store, approvedCalls: approvedCalls(tool) } });
    expect(await under("pay*")).toEqual([]);
    expect(await under("pay?")).toEqual([]);
    for (const tool of ['a"\n- verdict: allow #', "zahlung_ü\u2028x", "😀", "{{x}}: [y]"]) {
      const [suggestion] = await under(tool);
      expect(parse(suggestion?.yaml ?? "")).toMatchObject([{ tool, verdict: "allow" }]);
    }
  });
});
