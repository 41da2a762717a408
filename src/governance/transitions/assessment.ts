import type { Assessment } from "../../domain/assessment.ts";
import type { Case } from "../../domain/case.ts";
import { covers } from "../../domain/kill-switch.ts";
import { type ClaimGuards, type ClaimParams, claimStep, mayRepeat } from "./claim.ts";
import {
  commitments,
  type Payload,
  type Plan,
  type Step,
  takeSteps,
  type UnknownCase,
  writeNothing,
} from "./plan.ts";
import { changedSince, type Ruling, rulingStep } from "./ruling.ts";

export interface AssessmentParams extends Omit<ClaimParams, "newNonce"> {
  readonly assessment: { readonly value: Assessment; readonly payload: Payload };
  /** What a model was shown and answered; null when none was asked. */
  readonly judgement: Payload | null;
  readonly threshold: number;
  readonly ruling: Ruling;
  /** What configuration and assessor said; see `mayRepeat`. */
  readonly safeToRepeat: boolean;
  /** Of what an admin said of the definition, when the call was scored; null when nobody had said anything. */
  readonly acceptanceRevision: number | null;
  readonly runWithinMs: number;
  /** The agent still waits for this call: claim it, so that it runs in the same answer. */
  readonly claim: boolean;
}

export type AssessmentResult =
  /** `token` is set when the case was claimed in the same commit and must be dispatched now. */
  | { readonly kind: "assessed"; readonly case: Case; readonly token: number | null }
  /** It was assessed or withdrawn before; `case` says where it is now. */
  | { readonly kind: "not_assessing"; readonly case: Case }
  /** Policy, or what an admin said of the tool, changed since the call was scored: score and rule again. */
  | { readonly kind: "policy_outdated" }
  | UnknownCase;

/** Where a case goes that waited for a model. What changed while it waited is seen here as it is when a call is opened. */
export function planAssessment(
  current: Case | null,
  guards: ClaimGuards,
  params: AssessmentParams,
): Plan<AssessmentResult> {
  if (current === null) return writeNothing({ kind: "unknown_case", ref: params.ref });
  if (current.state !== "ASSESSING") return writeNothing({ kind: "not_assessing", case: current });
  if (guards.policyVersion !== params.policy.version) return writeNothing({ kind: "policy_outdated" });
  const isAccepted = guards.acceptedPin === current.toolPin;
  const revision = isAccepted ? (guards.acceptance?.revision ?? null) : null;
  if (revision !== params.acceptanceRevision) return writeNothing({ kind: "policy_outdated" });
  const call = { toolPin: current.toolPin, safeToRepeat: params.safeToRepeat };
  const ruling = checkedRuling(current, guards, params);
  const stopped = guards.killSwitches.some((s) => covers(s, current));
  const runsNow = ruling.to === "AUTHORIZED" && params.claim && !stopped;
  const steps = [assessedStep({ ...params, safeToRepeat: mayRepeat(guards, call) }, ruling, guards.nowMs)];
  if (runsNow) steps.push(claimStep(guards, params, call));
  const writes = takeSteps({
    previous: current,
    start: current,
    steps,
    nowMs: guards.nowMs,
    payloads: payloadsOf(params),
    messages: ruling.to === "AWAITING_REVIEW" ? ["review.requested"] : [],
  });
  return {
    answer: { kind: "assessed", case: writes.next, token: runsNow ? guards.nextToken : null },
    writes,
  };
}

function checkedRuling(current: Case, guards: ClaimGuards, params: AssessmentParams): Ruling {
  if (!guards.agentEnabled) return { to: "DENIED", reasonId: "agent.revoked" };
  if (params.ruling.to !== "AUTHORIZED") return params.ruling;
  const reasonId = changedSince(current, guards);
  return reasonId === undefined ? params.ruling : { to: "AWAITING_REVIEW", reasonId };
}

/** The ruling, with what is known now in place of what the case was opened with. */
function assessedStep(params: AssessmentParams, ruling: Ruling, nowMs: number): Step {
  const { value } = params.assessment;
  const step = rulingStep(params, ruling, nowMs);
  return {
    ...step,
    patch: {
      ...step.patch,
      verdict: params.policy.verdict,
      ruleId: params.policy.ruleId,
      policyVersion: params.policy.version,
      riskScore: value.risk_score,
      classification: value.classification,
      assessor: value.assessor,
      safeToRepeat: params.safeToRepeat,
      reasonId: ruling.reasonId,
    },
    details: { ...step.details, commitments: commitments(payloadsOf(params)) },
  };
}

function payloadsOf({ assessment, judgement }: AssessmentParams): readonly Payload[] {
  return judgement === null ? [assessment.payload] : [assessment.payload, judgement];
}
