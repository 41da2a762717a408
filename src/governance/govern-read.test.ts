import { afterEach, describe, expect, test } from "vitest";
import { AtlasError } from "../domain/errors.ts";
import type { PolicyRule } from "../policy/policy.ts";
import { type GovernReadDeps, governRead, type RawRead, type ReadTarget } from "./govern-read.ts";
import { createScriptedOffers, type ScriptedOffers } from "./reads.testing.ts";
import { createRig, type Rig, type RigParams } from "./rig.testing.ts";
import { isShown } from "./rule-read.ts";
import type { ReadAnswerParams, ReadParams } from "./transitions/read.ts";

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.dispose();
  rig = undefined;
});

const rule = (more: Partial<PolicyRule>): PolicyRule => ({
  id: "r",
  upstream: "*",
  agent: "*",
  verdict: "allow",
  ...more,
});
const ALLOW = [rule({ id: "reads", resource: "*" }), rule({ id: "prompts", prompt: "*" })];

interface Desk {
  readonly rig: Rig;
  readonly offers: ScriptedOffers;
  readonly recorded: (ReadParams | ReadAnswerParams)[];
  readonly deps: GovernReadDeps;
  read(target: ReadTarget, more?: Partial<RawRead>): ReturnType<typeof governRead>;
}

async function openDesk(params: RigParams = { rules: ALLOW }): Promise<Desk> {
  const opened = await createRig(params);
  rig = opened;
  const offers = createScriptedOffers();
  const recorded: Desk["recorded"] = [];
  const deps: GovernReadDeps = {
    ...opened.deps,
    upstreams: Object.assign(offers, { endSession: () => undefined }),
    store: {
      recordRead: (read) => {
        recorded.push(read);
        return opened.store.recordRead(read);
      },
      recordReadAnswer: (answer) => {
        recorded.push(answer);
        return opened.store.recordReadAnswer(answer);
      },
    },
  };
  return {
    rig: opened,
    offers,
    recorded,
    deps,
    read: (target, more) =>
      governRead(
        {
          agentId: opened.agentId,
          method: "resources/read",
          target,
          params: (name) => ({ uri: JSON.stringify(name) }),
          metaText: null,
          ...more,
        },
        deps,
      ),
  };
}

const RATES = { kind: "resource", uri: "bank://rates" } as const;

describe("governRead", () => {
  test("asks the upstream only once the read is on record, and answers once the answer is", async () => {
    const desk = await openDesk();
    const order: string[] = [];
    desk.offers.reply = () => {
      order.push(`recorded ${desk.recorded.length}`);
      return { kind: "answered", result: { contents: [], vendor: 1 } };
    };
    expect(await desk.read(RATES)).toEqual({ kind: "result", result: { contents: [], vendor: 1 } });
    expect(order).toEqual(["recorded 1"]);
    expect(desk.recorded).toHaveLength(2);
  });

  test("answers nothing when either record cannot be written, and asks nothing without the first", async () => {
    const desk = await openDesk();
    const broken = () => Promise.reject(new AtlasError("store.failed", "disk full"));
    const { store } = desk.deps;
    await expect(
      governRead(
        {
          agentId: desk.rig.agentId,
          method: "resources/read",
          target: RATES,
          params: () => ({}),
          metaText: null,
        },
        { ...desk.deps, store: { ...store, recordRead: broken } },
      ),
    ).rejects.toMatchObject({ code: "store.failed" });
    expect(desk.offers.asked).toEqual([]);
    await expect(
      governRead(
        {
          agentId: desk.rig.agentId,
          method: "resources/read",
          target: RATES,
          params: () => ({}),
          metaText: null,
        },
        { ...desk.deps, store: { ...store, recordReadAnswer: broken } },
      ),
    ).rejects.toMatchObject({ code: "store.failed" });
  });

  test.each([
    ["no rule names resources", [rule({ tool: "*" })], "read.no_rule"],
    ["a rule denies it", [rule({ resource: "bank://*", verdict: "deny" }), ...ALLOW], "policy.denied"],
    ["a rule wants a human", [rule({ resource: "*", verdict: "review" })], "read.needs_review"],
    ["a rule wants a score", [rule({ resource: "*", verdict: "assess" })], "read.needs_review"],
  ] as const)("refuses when %s", async (_when, rules, reasonId) => {
    const desk = await openDesk({ rules });
    expect(await desk.read(RATES)).toEqual({ kind: "refused", reasonId });
    expect(desk.offers.asked).toEqual([]);
    expect(desk.recorded).toMatchObject([{ ruling: { allowed: false, reasonId } }]);
  });

  test("lets through what it only observes, and records why it would not have", async () => {
    const desk = await openDesk({ rules: [rule({ resource: "*", verdict: "deny" })], observe: true });
    expect((await desk.read(RATES)).kind).toBe("result");
    expect(desk.recorded[0]).toMatchObject({
      ruling: { allowed: true, reasonId: "observe.let_through", observedReasonId: "policy.denied" },
    });
  });

  test.each([
    ["everything", { scope: "all", target: "*" }],
    ["its upstream", { scope: "upstream", target: "bank" }],
    ["its agent", { scope: "agent", target: "teller" }],
  ] as const)("is stopped by a kill switch on %s", async (_what, killSwitch) => {
    const desk = await openDesk();
    await desk.rig.store.engageKillSwitch({ ...killSwitch, by: null, reason: "stop" });
    expect(await desk.read(RATES)).toEqual({ kind: "refused", reasonId: "kill_switch.engaged" });
    expect(await desk.read({ kind: "prompt", exposedName: "bank_ask" })).toMatchObject({
      reasonId: "kill_switch.engaged",
    });
    expect(desk.offers.asked).toEqual([]);
  });

  test("is not stopped by a kill switch on a tool, another upstream or another agent", async () => {
    const desk = await openDesk();
    const others = [
      { scope: "tool", target: "bank/null" },
      { scope: "tool", target: "bank/read_balance" },
      { scope: "upstream", target: "rival" },
      { scope: "agent", target: "other" },
    ] as const;
    for (const other of others) await desk.rig.store.engageKillSwitch({ ...other, by: null, reason: "stop" });
    expect((await desk.read(RATES)).kind).toBe("result");
  });

  test("refuses a revoked agent, whatever it asks for", async () => {
    const desk = await openDesk();
    await desk.rig.store.revokeAgent({ id: desk.rig.agentId, by: null });
    expect(await desk.read(RATES)).toEqual({ kind: "refused", reasonId: "agent.revoked" });
    expect(await desk.read({ kind: "resource", uri: "nobody://x" })).toMatchObject({
      reasonId: "agent.revoked",
    });
  });

  test("rules by the policy in force, or not at all", async () => {
    const desk = await openDesk();
    await desk.rig.store.activatePolicy("another");
    expect(await desk.read(RATES)).toEqual({ kind: "refused", reasonId: "policy.error" });
    expect(desk.offers.asked).toEqual([]);
  });

  test.each([
    [{ kind: "unknown" }, "resource.unknown"],
    [{ kind: "quarantined" }, "resource.quarantined"],
    [{ kind: "ambiguous" }, "arguments.ambiguous"],
  ] as const)("refuses a URI that leads to %o", async (route, reasonId) => {
    const desk = await openDesk();
    desk.offers.route = () => route;
    expect(await desk.read(RATES)).toEqual({ kind: "refused", reasonId });
  });

  test("refuses a URI that is too long before anything is made of it", async () => {
    const desk = await openDesk();
    expect(await desk.read({ kind: "resource", uri: `bank://${"a".repeat(2_048)}` })).toMatchObject({
      reasonId: "arguments.invalid",
    });
  });

  test("names prompts to policy and upstream as the upstream does", async () => {
    const desk = await openDesk({ rules: [rule({ prompt: "ask" })] });
    const params = (name: string) => ({ name: JSON.stringify(name) });
    const target = { kind: "prompt", exposedName: "bank_ask" } as const;
    expect((await desk.read(target, { method: "prompts/get", params })).kind).toBe("result");
    expect(desk.offers.asked[0]?.params).toEqual({ name: '"ask"' });
    expect(await desk.read({ kind: "prompt", exposedName: "ask" })).toMatchObject({
      reasonId: "prompt.unknown",
    });
  });

  test("asks policy about a template by its text", async () => {
    const target = { kind: "template", uriTemplate: "bank://{id}" } as const;
    const desk = await openDesk({ rules: [rule({ resource: "bank://{*" })] });
    expect((await desk.read(target, { method: "completion/complete" })).kind).toBe("result");
    expect(await desk.read({ kind: "template", uriTemplate: "x://{id}" })).toMatchObject({
      reasonId: "resource.unknown",
    });
  });
});

describe("an answer", () => {
  test.each([
    ["names another upstream's resource", [{ uri: "rival://x" }], "upstream.foreign_uri"],
    ["names a URI that is no honest one", [{ uri: `bank://${"a".repeat(3_000)}` }], "upstream.foreign_uri"],
    ["is larger than what is passed on", [{ text: "x".repeat(10_001) }], "upstream.result_too_large"],
  ])("that %s is not passed on", async (_what, contents, reasonId) => {
    const desk = await openDesk();
    desk.offers.reply = () => ({ kind: "answered", result: { contents } });
    expect(await desk.read(RATES)).toEqual({ kind: "refused", reasonId });
    expect(desk.recorded[1]).toMatchObject({ reasonId, resultSha256: null });
  });

  test("may name other resources of the same upstream, or of nobody", async () => {
    const desk = await openDesk();
    const contents = [{ uri: "bank://rates/1" }, { uri: "nobody://2" }];
    desk.offers.reply = () => ({ kind: "answered", result: { contents } });
    expect(await desk.read(RATES)).toMatchObject({ kind: "result" });
  });

  test.each([
    [{ kind: "not_sent", late: false, detail: "down" }, "upstream.unreachable"],
    [{ kind: "no_answer", cause: "timeout" }, "upstream.timeout"],
    [{ kind: "no_answer", cause: "disconnected" }, "upstream.disconnected"],
    [{ kind: "answered", result: { resultType: "input_required" } }, "upstream.input_required"],
  ] as const)("that is %o is a refusal with its reason", async (outcome, reasonId) => {
    const desk = await openDesk();
    desk.offers.reply = () => outcome;
    expect(await desk.read(RATES)).toEqual({ kind: "refused", reasonId });
  });

  test("that is the upstream's error is passed on as it is", async () => {
    const desk = await openDesk();
    const error = { code: -32002, message: "gone", data: { uri: "bank://rates" } };
    desk.offers.reply = () => ({ kind: "protocol_error", error });
    expect(await desk.read(RATES)).toEqual({ kind: "rpc_error", error });
  });
});

describe("a subscription", () => {
  test("is a read: policy decides, and it is on record", async () => {
    const desk = await openDesk();
    const answer = await desk.read(RATES, { method: "resources/subscribe" });
    expect(answer).toMatchObject({ kind: "watching", upstream: "bank" });
    expect(desk.offers.watched).toEqual(["bank://rates"]);
    if (answer.kind === "watching") answer.end();
    expect(desk.offers.watched).toEqual([]);
    desk.offers.takesWatches = false;
    expect(await desk.read(RATES, { method: "resources/subscribe" })).toMatchObject({
      reasonId: "subscription.unsupported",
    });
  });
});

describe("isShown", () => {
  test.each([
    ["allow", true],
    ["review", true],
    ["assess", true],
    ["deny", false],
  ] as const)("what a rule says %s of: %s", async (verdict, shown) => {
    const desk = await openDesk({ rules: [rule({ resource: "*", verdict })] });
    const subject = { agentId: desk.rig.agentId, upstream: "bank", name: "bank://rates" };
    expect(isShown({ ...subject, kind: "resource" }, desk.deps)).toBe(shown);
    expect(isShown({ ...subject, kind: "prompt" }, desk.deps)).toBe(false);
  });
});
