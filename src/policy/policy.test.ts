import { describe, expect, it } from "vitest";
import { compilePolicy, findUnreachableRules, type PolicyRule, policyVersion } from "./policy.ts";

const rule = (id: string, patch: Partial<PolicyRule>): PolicyRule => ({
  id,
  upstream: "*",
  tool: "*",
  agent: "*",
  verdict: "assess",
  ...patch,
});
const policyOf = (...rules: readonly PolicyRule[]) => compilePolicy({ rules, version: policyVersion(rules) });

/** What a row read back from a damaged store may look like. */
const damaged = (value: object) => JSON.parse(JSON.stringify(value));

describe("compilePolicy", () => {
  const policy = policyOf(
    rule("no-deletes", { tool: "delete_*", verdict: "deny" }),
    rule("reads", { upstream: "welfare", tool: "check_*", verdict: "allow" }),
    rule("bot", { agent: "billing-*", verdict: "review" }),
    rule("rest", { upstream: "welfare" }),
  );

  it.each([
    ["welfare", "delete_case", "a", "deny", "no-deletes", "policy.denied"],
    ["welfare", "check_status", "a", "allow", "reads", "policy.allowed"],
    ["other", "check_status", "billing-bot", "review", "bot", "policy.review"],
    ["welfare", "pay", "a", "assess", "rest", null],
    ["other", "pay", "a", "review", null, "policy.no_rule"],
    ["welfare", "Delete_case", "a", "assess", "rest", null],
  ])("%s/%s by %s is %s by %s", (upstream, tool, agentId, verdict, ruleId, reasonId) => {
    expect(policy.evaluate({ upstream, tool, agentId })).toEqual({
      verdict,
      ruleId,
      reasonId,
      version: policy.version,
      observe: false,
    });
  });

  it("sends every call to a human when it has no rules", () => {
    expect(policyOf().evaluate({ upstream: "u", tool: "t", agentId: "a" })).toMatchObject({
      verdict: "review",
      reasonId: "policy.no_rule",
    });
  });

  it("fails closed when a subject cannot be evaluated", () => {
    const broken = damaged({ upstream: "welfare", tool: null, agentId: "a" });
    expect(policy.evaluate(broken)).toMatchObject({
      verdict: "review",
      ruleId: null,
      reasonId: "policy.error",
    });
  });

  it("lets a rule speak of its own kind only", () => {
    const rules: readonly PolicyRule[] = [
      { id: "files", upstream: "*", resource: "file:///srv/*", agent: "*", verdict: "allow" },
      { id: "ask", upstream: "*", prompt: "*", agent: "*", verdict: "review" },
      rule("tools", { verdict: "deny" }),
    ];
    const mixed = policyOf(...rules);
    const asked = { upstream: "u", agentId: "a" };
    expect(mixed.evaluate({ ...asked, resource: "file:///srv/x" })).toMatchObject({ ruleId: "files" });
    expect(mixed.evaluate({ ...asked, resource: "file:///etc/x" })).toMatchObject({
      verdict: "review",
      reasonId: "policy.no_rule",
    });
    expect(mixed.evaluate({ ...asked, prompt: "file:///srv/x" })).toMatchObject({ ruleId: "ask" });
    expect(mixed.evaluate({ ...asked, tool: "file:///srv/x" })).toMatchObject({ ruleId: "tools" });
    const both = { ...asked, tool: "x", resource: "file:///srv/x" };
    expect(mixed.evaluate(both)).toMatchObject({ reasonId: "policy.error" });
  });

  it.each([
    ["a pattern is missing", { tool: undefined }],
    ["a rule speaks of two kinds", { resource: "*" }],
    ["a verdict is unknown", { verdict: "permit" }],
  ])("fails closed for every call when %s", (_name, damage) => {
    const rules = [rule("ok", { verdict: "allow" }), damaged({ ...rule("bad", {}), ...damage })];
    const policy = compilePolicy({ rules, version: "v" });
    expect(policy.evaluate({ upstream: "u", tool: "t", agentId: "a" })).toMatchObject({
      verdict: "review",
      reasonId: "policy.error",
    });
  });
});

describe("policyVersion", () => {
  it("of rules about tools is what it was before rules could speak of anything else", () => {
    expect(
      policyVersion([rule("rule-1", {}), rule("no", { tool: "x_*", verdict: "deny", observe: true })]),
    ).toBe("3c4dc36c7d3f5d150080448298adcaa2f302354f13b9d21d6222cf0a1920a50e");
  });

  it("differs by the kind a rule speaks of", () => {
    const { tool: _tool, ...untold } = rule("a", {});
    const versions = [{ tool: "*" }, { resource: "*" }, { prompt: "*" }].map((kind) =>
      policyVersion([{ ...untold, ...kind }]),
    );
    expect(new Set(versions).size).toBe(3);
  });

  it("is the same for the same rules and differs when their order or content does", () => {
    const a = rule("a", { verdict: "allow" });
    const b = rule("b", { verdict: "deny" });
    expect(policyVersion([a, b])).toBe(policyVersion([{ ...a }, { ...b }]));
    expect(policyVersion([a, b])).not.toBe(policyVersion([b, a]));
    expect(policyVersion([a])).not.toBe(policyVersion([rule("a", { verdict: "deny" })]));
  });
});

describe("findUnreachableRules", () => {
  it("names the earlier rule that covers a later one", () => {
    const policy = policyOf(
      rule("get", { tool: "get_*", verdict: "allow" }),
      rule("get-case", { tool: "get_case", verdict: "deny" }),
      rule("all", {}),
      rule("late", { upstream: "welfare", verdict: "deny" }),
    );
    expect(findUnreachableRules(policy)).toEqual([
      { ruleId: "get-case", coveredBy: "get" },
      { ruleId: "late", coveredBy: "all" },
    ]);
  });

  it("does not report a rule that overlaps without being covered", () => {
    const policy = policyOf(rule("a", { tool: "get_*", agent: "x" }), rule("b", { tool: "get_*" }));
    expect(findUnreachableRules(policy)).toEqual([]);
  });
});
