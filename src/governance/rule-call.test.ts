import { describe, expect, test } from "vitest";
import { type Assessment, classificationOf } from "../domain/assessment.ts";
import { sha256 } from "../domain/digest.ts";
import { agentId, secureRandomBytes } from "../domain/ids.ts";
import type { CatalogTool } from "../domain/tool.ts";
import { compilePolicy, type PolicyRule, policyVersion } from "../policy/policy.ts";
import { type RuleCallDeps, ruleCall } from "./rule-call.ts";

const tool: CatalogTool = {
  upstream: "bank",
  upstreamFingerprint: sha256("bank"),
  name: "pay",
  exposedName: "pay",
  definition: { name: "pay", inputSchema: { type: "object" } },
  pin: sha256("pay"),
  safeToRepeat: false,
};

function assessment(score: number, change: Partial<Assessment> = {}): Assessment {
  return {
    risk_score: score,
    classification: classificationOf(score),
    action: "AUTO_APPROVE",
    factors: [],
    rationale: "",
    assessor: "scripted@1",
    read_only: false,
    ...change,
  };
}

function rule(
  assess: RuleCallDeps["assessor"]["assess"],
  verdict: PolicyRule["verdict"] = "assess",
  schemaUsable = true,
) {
  const rules: readonly PolicyRule[] = [{ id: "rule-1", upstream: "*", tool: "*", agent: "*", verdict }];
  const policy = compilePolicy({ rules, version: policyVersion(rules) });
  const deps = {
    policy,
    assessor: { assess },
    threshold: 70,
    isTrusted: () => false,
    isObserved: () => false,
    random: secureRandomBytes,
  };
  return ruleCall({ agentId: agentId("bot"), tool, args: {}, schemaUsable, manifest: null }, deps);
}

describe("ruleCall", () => {
  test("a score below the threshold passes, the threshold itself pauses", () => {
    expect(rule(() => assessment(69)).ruling).toEqual({
      to: "AUTHORIZED",
      authorization: "auto",
      reasonId: "risk.below_threshold",
    });
    expect(rule(() => assessment(70)).ruling).toEqual({
      to: "AWAITING_REVIEW",
      reasonId: "risk.above_threshold",
    });
  });

  test("an assessor that throws, or gives no number, pauses the call whatever it says of the action", () => {
    const broken = rule(() => {
      throw new Error("down");
    });
    expect(broken.ruling).toEqual({ to: "AWAITING_REVIEW", reasonId: "risk.assessor_failed" });
    expect(broken.assessment?.value.risk_score).toBe(100);
    expect(rule(() => assessment(Number.NaN)).ruling.to).toBe("AWAITING_REVIEW");
  });

  test("arguments that no schema could check go to a human even where policy allows", () => {
    for (const verdict of ["allow", "assess"] as const) {
      const { ruling } = rule(() => assessment(0), verdict, false);
      expect(ruling).toEqual({ to: "AWAITING_REVIEW", reasonId: "tool.schema_unusable" });
    }
  });

  test("allow, deny and review decide without the score", () => {
    expect(rule(() => assessment(99), "allow").ruling).toMatchObject({
      to: "AUTHORIZED",
      authorization: "policy",
    });
    expect(rule(() => assessment(0), "deny").ruling).toEqual({ to: "DENIED", reasonId: "policy.denied" });
    expect(rule(() => assessment(0), "review").ruling).toEqual({
      to: "AWAITING_REVIEW",
      reasonId: "policy.review",
    });
  });

  test("only what was understood as reading, or marked by the operator, is safe to repeat", () => {
    expect(rule(() => assessment(10, { read_only: true })).safeToRepeat).toBe(true);
    expect(rule(() => assessment(10)).safeToRepeat).toBe(false);
    expect(rule(() => assessment(90, { read_only: true })).safeToRepeat).toBe(false);
  });
});
