import { type Assessment, failedAssessment } from "../domain/assessment.ts";
import type { AgentId, RandomBytes } from "../domain/ids.ts";
import type { ToolManifest } from "../domain/manifest.ts";
import type { CatalogTool } from "../domain/tool.ts";
import type { Policy, PolicyAnswer, PolicyEvaluation } from "../policy/policy.ts";
import type { AssessedCall, Assessor } from "../risk/assessed-call.ts";
import { hardFloorOf } from "../risk/combine.ts";
import type { ModelJudge } from "../risk/models/judge.ts";
import type { FirstRuling } from "./transitions/open-case.ts";
import { type Payload, payload } from "./transitions/plan.ts";
import type { Ruling } from "./transitions/ruling.ts";

export interface RuleCallDeps {
  readonly policy: Pick<Policy, "evaluate">;
  readonly assessor: Assessor;
  readonly threshold: number;
  readonly isTrusted: (upstream: string) => boolean;
  /** Whether calls of this upstream are only observed. */
  readonly isObserved: (upstream: string) => boolean;
  readonly random: RandomBytes;
  /** The model that is asked for a score; absent for the assessor alone. */
  readonly judging?: Judging | undefined;
}

export interface Judging {
  readonly judge: ModelJudge;
  /** Time the model has for one call. */
  readonly deadlineMs: number;
}

/** How long after its deadline a judgement that nobody reported is looked for. */
const JUDGED_MARGIN_MS = 5_000;

export interface RuledCall {
  readonly policy: PolicyAnswer;
  readonly assessment: { readonly value: Assessment; readonly payload: Payload } | null;
  readonly ruling: FirstRuling;
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
  const value = assessByRules(assessedCall(call, deps), deps);
  const assessment = { value, payload: payload("assessment", JSON.stringify(value), deps.random) };
  const ruling = call.schemaUsable
    ? firstRuling({ evaluation, value, observe }, deps)
    : ({ to: "AWAITING_REVIEW", reasonId: "tool.schema_unusable" } as const);
  const safeToRepeat = tool.safeToRepeat || (ruling.to === "AUTHORIZED" && value.read_only);
  return { policy, assessment, ruling, safeToRepeat, observe };
}

/** The call as an assessor sees it. */
export function assessedCall(
  call: Pick<Parameters<typeof ruleCall>[0], "agentId" | "args" | "manifest"> & {
    readonly tool: Pick<CatalogTool, "upstream" | "definition">;
  },
  deps: Pick<RuleCallDeps, "isTrusted">,
): AssessedCall {
  const { upstream, definition } = call.tool;
  return {
    upstream,
    trusted: deps.isTrusted(upstream),
    definition,
    arguments: call.args,
    agentId: call.agentId,
    ...(call.manifest !== null && { manifest: call.manifest }),
  };
}

export function assessByRules(call: AssessedCall, deps: Pick<RuleCallDeps, "assessor">): Assessment {
  try {
    return deps.assessor.assess(call);
  } catch {
    // The port says that it never throws; if it does, its score is worth nothing.
    return failedAssessment("The assessor failed.");
  }
}

/**
 * A model is asked only where its answer can change what happens: not where a rule decides, where the rules of
 * the assessor alone already pause the call, where the assessor failed, or where nothing is held anyway.
 */
function firstRuling(
  ruled: { readonly evaluation: PolicyEvaluation; readonly value: Assessment; readonly observe: boolean },
  { judging, threshold }: Pick<RuleCallDeps, "judging" | "threshold">,
): FirstRuling {
  const { evaluation, value, observe } = ruled;
  const open = evaluation.verdict === "assess" && hardFloorOf(value) < threshold && !hasFailed(value);
  if (judging === undefined || observe || !open) return ruleOn(evaluation, value, threshold);
  return { to: "ASSESSING", reasonId: "risk.assessing", withinMs: judging.deadlineMs + JUDGED_MARGIN_MS };
}

const hasFailed = (assessment: Assessment) => assessment.factors.some((f) => f.id === "assessor.failed");

/** What policy and a score make of a call. */
export function ruleOn(policy: PolicyEvaluation, assessment: Assessment, threshold: number): Ruling {
  switch (policy.verdict) {
    case "allow":
      return { to: "AUTHORIZED", authorization: "policy", reasonId: "policy.allowed" };
    case "deny":
      return { to: "DENIED", reasonId: "policy.denied" };
    case "review":
      return { to: "AWAITING_REVIEW", reasonId: policy.reasonId ?? "policy.review" };
    case "assess":
      if (hasFailed(assessment)) {
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
