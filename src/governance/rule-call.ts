import { type Assessment, failedAssessment } from "../domain/assessment.ts";
import type { AgentId, RandomBytes } from "../domain/ids.ts";
import type { ToolManifest } from "../domain/manifest.ts";
import type { CatalogTool } from "../domain/tool.ts";
import type { Policy, PolicyAnswer, PolicyEvaluation } from "../policy/policy.ts";
import type { Assessor } from "../risk/assessed-call.ts";
import type { Ruling } from "./transitions/open-case.ts";
import { type Payload, payload } from "./transitions/plan.ts";

export interface RuleCallDeps {
  readonly policy: Pick<Policy, "evaluate">;
  readonly assessor: Assessor;
  readonly threshold: number;
  readonly isTrusted: (upstream: string) => boolean;
  /** Whether calls of this upstream are only observed. */
  readonly isObserved: (upstream: string) => boolean;
  readonly random: RandomBytes;
}

export interface RuledCall {
  readonly policy: PolicyAnswer;
  readonly assessment: { readonly value: Assessment; readonly payload: Payload } | null;
  readonly ruling: Ruling;
  readonly safeToRepeat: boolean;
  /** What would be held is let through and recorded. */
  readonly observe: boolean;
}

/**
 * What the machines say of a call: policy first, then the assessor where policy asks for one or a human will want its view.
 *
 * @param schemaUsable false when the tool's input schema could not check the arguments: then nothing passes without a human.
 */
export function ruleCall(
  call: {
    readonly agentId: AgentId;
    readonly tool: CatalogTool;
    readonly args: { readonly [key: string]: unknown };
    readonly schemaUsable: boolean;
    /** What an admin confirmed of the tool's definition; null when nobody did. */
    readonly manifest: ToolManifest | null;
  },
  deps: RuleCallDeps,
): RuledCall {
  const { tool } = call;
  const evaluation = deps.policy.evaluate({
    upstream: tool.upstream,
    tool: tool.name,
    agentId: call.agentId,
  });
  const { verdict, ruleId, version } = evaluation;
  const policy = { verdict, ruleId, version };
  const observe = evaluation.observe || deps.isObserved(tool.upstream);
  if (verdict === "deny") {
    return {
      policy,
      assessment: null,
      ruling: { to: "DENIED", reasonId: "policy.denied" },
      safeToRepeat: tool.safeToRepeat,
      observe,
    };
  }
  const value = assess(call, deps);
  const assessment = { value, payload: payload("assessment", JSON.stringify(value), deps.random) };
  const ruling = call.schemaUsable
    ? rule(evaluation, value, deps.threshold)
    : ({ to: "AWAITING_REVIEW", reasonId: "tool.schema_unusable" } as const);
  const safeToRepeat = tool.safeToRepeat || (ruling.to === "AUTHORIZED" && value.read_only);
  return { policy, assessment, ruling, safeToRepeat, observe };
}

function assess(call: Parameters<typeof ruleCall>[0], deps: RuleCallDeps): Assessment {
  try {
    return deps.assessor.assess({
      upstream: call.tool.upstream,
      trusted: deps.isTrusted(call.tool.upstream),
      definition: call.tool.definition,
      arguments: call.args,
      agentId: call.agentId,
      ...(call.manifest !== null && { manifest: call.manifest }),
    });
  } catch {
    // The port says that it never throws; if it does, its score is worth nothing.
    return failedAssessment("The assessor failed.");
  }
}

function rule(policy: PolicyEvaluation, assessment: Assessment, threshold: number): Ruling {
  switch (policy.verdict) {
    case "allow":
      return { to: "AUTHORIZED", authorization: "policy", reasonId: "policy.allowed" };
    case "deny":
      return { to: "DENIED", reasonId: "policy.denied" };
    case "review":
      return { to: "AWAITING_REVIEW", reasonId: policy.reasonId ?? "policy.review" };
    case "assess":
      if (assessment.factors.some((f) => f.id === "assessor.failed")) {
        return { to: "AWAITING_REVIEW", reasonId: "risk.assessor_failed" };
      }
      // Written so that a score that is no number pauses too.
      return assessment.risk_score < threshold
        ? { to: "AUTHORIZED", authorization: "auto", reasonId: "risk.below_threshold" }
        : { to: "AWAITING_REVIEW", reasonId: "risk.above_threshold" };
    default:
      return policy.verdict satisfies never;
  }
}
