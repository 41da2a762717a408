import type { Assessment } from "../../domain/assessment.ts";
import type { Authorization, Case } from "../../domain/case.ts";
import type { Actor } from "../../domain/principal.ts";
import type { ReasonId } from "../../domain/reasons.ts";
import type { PolicyAnswer } from "../../policy/policy.ts";
import type { ClaimGuards } from "./claim.ts";
import type { Payload, Step } from "./plan.ts";

/** Where the machines send a call: what policy and the assessor decided, before anything was written. */
export type Ruling =
  | {
      readonly to: "AUTHORIZED";
      readonly authorization: Exclude<Authorization, "human">;
      readonly reasonId: ReasonId;
    }
  | { readonly to: "AWAITING_REVIEW" | "DENIED"; readonly reasonId: ReasonId };

/** What a ruling rests on; its ledger event says so. */
export interface RulingGrounds {
  readonly policy: PolicyAnswer;
  /** null when policy decided alone. */
  readonly assessment: { readonly value: Assessment; readonly payload: Payload } | null;
  /** Score from which the assessor pauses a call. */
  readonly threshold: number;
  /** Time a human gets. */
  readonly reviewForMs: number;
  /** Time an authorized case has to run. */
  readonly runWithinMs: number;
}

/** Why a call may not pass on machines' word; undefined when it may: only on the definition that is current and accepted, at the upstream as configured. */
export function changedSince(
  call: Pick<Case, "upstreamFingerprint" | "toolPin">,
  guards: ClaimGuards,
): ReasonId | undefined {
  if (guards.upstreamFingerprint !== call.upstreamFingerprint) return "upstream.changed";
  if (guards.currentPin === call.toolPin && guards.acceptedPin === null)
    return guards.heldReasonId ?? "tool.new";
  return guards.currentPin === call.toolPin && guards.acceptedPin === call.toolPin
    ? undefined
    : "tool.changed";
}

/** The step out of ASSESSING that carries a ruling out. */
export function rulingStep(grounds: RulingGrounds, ruling: Ruling, nowMs: number): Step {
  const details = {
    policy_version: grounds.policy.version,
    rule: grounds.policy.ruleId,
    verdict: grounds.policy.verdict,
    risk_score: grounds.assessment?.value.risk_score,
    threshold: grounds.assessment === null ? undefined : grounds.threshold,
    assessor: grounds.assessment?.value.assessor,
  };
  const actor = rulingActor(grounds, ruling);
  switch (ruling.to) {
    case "AUTHORIZED": {
      const runByMs = nowMs + grounds.runWithinMs;
      const note = autoApprovalNote(grounds.assessment?.value, ruling.authorization);
      return {
        name: "case.authorized",
        actor,
        patch: { authorization: ruling.authorization, runByMs, dueAtMs: nowMs },
        details: { ...details, authorization: ruling.authorization, note },
      };
    }
    case "AWAITING_REVIEW": {
      const reviewByMs = nowMs + grounds.reviewForMs;
      return {
        name: "case.review_requested",
        actor,
        patch: { reviewByMs, dueAtMs: reviewByMs },
        details: { ...details, review_by: new Date(reviewByMs).toISOString() },
      };
    }
    case "DENIED":
      return { name: "case.denied", actor, patch: { dueAtMs: null, finishedAtMs: nowMs }, details };
    default:
      return ruling satisfies never;
  }
}

function rulingActor({ policy, assessment }: RulingGrounds, ruling: Ruling): Actor {
  const byAssessor = ruling.reasonId.startsWith("risk.") && assessment !== null;
  return byAssessor
    ? { kind: "assessor", id: assessment.value.assessor }
    : { kind: "policy", id: policy.ruleId ?? "policy" };
}

/** The sentence of the wire contract for a call that only the assessor let through. */
function autoApprovalNote(
  assessment: Assessment | undefined,
  authorization: Authorization,
): string | undefined {
  if (authorization !== "auto" || assessment === undefined) return undefined;
  return `Auto-approved based on Risk Score [${assessment.risk_score}] per Article 14 Compliance.`;
}
