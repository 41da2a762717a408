import { type Case, findTransition, holderOf } from "../../domain/case.ts";
import type { CaseRef, PersonId } from "../../domain/ids.ts";
import { type DecisionSnapshot, entitlementRefusal, isTakenByAnother, type NotEntitled } from "./decision.ts";
import { type Plan, takeSteps, type UnknownCase, writeNothing } from "./plan.ts";

type Snapshot = Pick<DecisionSnapshot, "case" | "agent" | "person" | "nowMs">;

export interface TakeParams {
  readonly ref: CaseRef;
  readonly personId: PersonId;
  /** How long the case is theirs if they do nothing. */
  readonly takeForMs: number;
  /** Take it from whoever has it. */
  readonly takeOver: boolean;
  readonly singleOperator: boolean;
}

export type TakeResult =
  | { readonly kind: "taken"; readonly case: Case }
  | NotEntitled
  /** It asks nothing of a person (any more). */
  | { readonly kind: "not_open"; readonly case: Case }
  /** `case` says by whom, and until when. */
  | { readonly kind: "taken_by_another"; readonly case: Case }
  | UnknownCase;

/** A reviewer says that they work on a case. Whoever may not decide it may not take it; taking one's own again begins its time anew. */
export function planTake(snapshot: Snapshot, params: TakeParams): Plan<TakeResult> {
  const { case: current, nowMs } = snapshot;
  if (current === null) return writeNothing({ kind: "unknown_case", ref: params.ref });
  const because = entitlementRefusal(snapshot, params);
  if (because !== undefined) return writeNothing({ kind: "not_entitled", because, case: current });
  if (findTransition("review.taken", current.state, "reviewer") === undefined)
    return writeNothing({ kind: "not_open", case: current });
  if (isTakenByAnother(current, params.personId, nowMs) && !params.takeOver)
    return writeNothing({ kind: "taken_by_another", case: current });
  const takenUntilMs = nowMs + params.takeForMs;
  const writes = takeSteps({
    previous: current,
    start: current,
    steps: [
      {
        name: "review.taken",
        actor: { kind: "reviewer", id: params.personId },
        patch: { takenBy: params.personId, takenUntilMs },
        details: {
          until: new Date(takenUntilMs).toISOString(),
          taken_from: isTakenByAnother(current, params.personId, nowMs) ? current.takenBy : undefined,
        },
      },
    ],
    nowMs,
  });
  return { answer: { kind: "taken", case: writes.next }, writes };
}

export interface ReleaseReviewParams {
  readonly ref: CaseRef;
  readonly personId: PersonId;
}

export type ReleaseReviewResult =
  /** Nobody has it now; nothing was written when nobody had it before. */
  | { readonly kind: "released"; readonly case: Case }
  | NotEntitled
  | { readonly kind: "not_open"; readonly case: Case }
  | { readonly kind: "taken_by_another"; readonly case: Case }
  | UnknownCase;

/** Gives a taken case back: whoever has it, or an admin for them. */
export function planReleaseReview(
  snapshot: Snapshot,
  params: ReleaseReviewParams,
): Plan<ReleaseReviewResult> {
  const { case: current, person, nowMs } = snapshot;
  if (current === null) return writeNothing({ kind: "unknown_case", ref: params.ref });
  const isOwn = holderOf(current, nowMs) === params.personId;
  const roles = person === null || person.revokedAtMs !== null ? [] : person.roles;
  const kind = isOwn && roles.includes("reviewer") ? "reviewer" : roles.includes("admin") ? "admin" : null;
  if (kind === null && !roles.includes("reviewer"))
    return writeNothing({ kind: "not_entitled", because: "not_a_reviewer", case: current });
  if (findTransition("review.released", current.state, "reviewer") === undefined)
    return writeNothing({ kind: "not_open", case: current });
  if (holderOf(current, nowMs) === null) return writeNothing({ kind: "released", case: current });
  if (kind === null) return writeNothing({ kind: "taken_by_another", case: current });
  const writes = takeSteps({
    previous: current,
    start: current,
    steps: [
      {
        name: "review.released",
        actor: { kind, id: params.personId },
        patch: { takenBy: null, takenUntilMs: null },
        details: { taken_from: isOwn ? undefined : current.takenBy },
      },
    ],
    nowMs,
  });
  return { answer: { kind: "released", case: writes.next }, writes };
}
