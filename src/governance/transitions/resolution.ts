import type { Case } from "../../domain/case.ts";
import type { Resolution } from "../../domain/decision.ts";
import type { CaseRef, PersonId, WriterId } from "../../domain/ids.ts";
import {
  type DecisionSnapshot,
  entitlementRefusal,
  humanAuthorization,
  isTakenByAnother,
  type NotEntitled,
} from "./decision.ts";
import {
  commitments,
  type Payload,
  type Plan,
  type Step,
  takeSteps,
  type UnknownCase,
  writeNothing,
} from "./plan.ts";

export interface ResolutionParams {
  readonly ref: CaseRef;
  readonly personId: PersonId;
  readonly resolution: Resolution;
  /** How the person knows; kept beside the case, and read by the agent. */
  readonly evidence: Payload;
  /** Digest the person was shown. */
  readonly digestShown: string;
  readonly runWithinMs: number;
  /** Time to undo "run again" before it may run; 0 for none. */
  readonly undoWithinMs: number;
  readonly writer: WriterId;
  readonly singleOperator: boolean;
}

export type ResolutionResult =
  | { readonly kind: "resolved"; readonly case: Case }
  | NotEntitled
  /** Its outcome is not unknown (any more). */
  | { readonly kind: "not_open"; readonly case: Case }
  /** Another reviewer works on it. */
  | { readonly kind: "taken_by_another"; readonly case: Case }
  | { readonly kind: "stale_digest"; readonly case: Case }
  | UnknownCase;

/** Settles an unknown outcome. Running again is a new human authorization under the same rule of who may give it. */
export function planResolution(
  snapshot: Pick<DecisionSnapshot, "case" | "agent" | "person" | "nowMs">,
  params: ResolutionParams,
): Plan<ResolutionResult> {
  const { case: current, nowMs } = snapshot;
  if (current === null) return writeNothing({ kind: "unknown_case", ref: params.ref });
  const because = entitlementRefusal(snapshot, params);
  if (because !== undefined) return writeNothing({ kind: "not_entitled", because, case: current });
  if (current.state !== "UNKNOWN") return writeNothing({ kind: "not_open", case: current });
  if (isTakenByAnother(current, params.personId, nowMs))
    return writeNothing({ kind: "taken_by_another", case: current });
  if (params.digestShown !== current.actionDigest)
    return writeNothing({ kind: "stale_digest", case: current });
  const writes = takeSteps({
    previous: current,
    start: current,
    steps: [resolutionStep(current, params, nowMs)],
    nowMs,
    payloads: [params.evidence],
    messages: params.resolution === "RUN_AGAIN" ? [] : ["case.ended"],
  });
  return { answer: { kind: "resolved", case: writes.next }, writes };
}

function resolutionStep(current: Case, params: ResolutionParams, nowMs: number): Step {
  const actor = { kind: "reviewer", id: params.personId } as const;
  const decided = { decidedBy: params.personId, decidedAtMs: nowMs };
  const details = {
    single_operator: params.singleOperator || undefined,
    commitments: commitments([params.evidence]),
  };
  if (params.resolution !== "RUN_AGAIN") {
    return {
      name: params.resolution === "SUCCEEDED" ? "case.succeeded" : "case.failed",
      actor,
      patch: { ...decided, reasonId: "resolution.reported", dueAtMs: null, finishedAtMs: nowMs },
      details,
    };
  }
  return {
    name: "case.authorized",
    actor,
    patch: {
      ...decided,
      ...humanAuthorization(current.actionDigest, nowMs, params),
      reasonId: "resolution.run_again",
    },
    details: { ...details, authorization: "human", digest_authorized: current.actionDigest },
  };
}
