import type { Case } from "../../domain/case.ts";
import type { CaseRef, PersonId } from "../../domain/ids.ts";
import type { DecisionSnapshot } from "./decision.ts";
import { type Plan, takeSteps, type UnknownCase, writeNothing } from "./plan.ts";

export interface UndoParams {
  readonly ref: CaseRef;
  readonly personId: PersonId;
}

export type UndoResult =
  | { readonly kind: "undone"; readonly case: Case }
  /** Neither the person who approved it nor an admin. */
  | { readonly kind: "not_the_approver"; readonly case: Case }
  /** Nobody approved it, or it is claimed or ended already. */
  | { readonly kind: "not_open"; readonly case: Case }
  | UnknownCase;

/** Takes an approval back, which is possible until the claim; the case ends. Twice is answered as the first time. */
export function planUndo(
  snapshot: Pick<DecisionSnapshot, "case" | "person" | "nowMs">,
  params: UndoParams,
): Plan<UndoResult> {
  const { case: current, person, nowMs } = snapshot;
  if (current === null) return writeNothing({ kind: "unknown_case", ref: params.ref });
  const roles = person === null || person.revokedAtMs !== null ? [] : person.roles;
  const isApprover = roles.includes("reviewer") && current.decidedBy === params.personId;
  if (!isApprover && !roles.includes("admin"))
    return writeNothing({ kind: "not_the_approver", case: current });
  if (current.reasonId === "review.undone") return writeNothing({ kind: "undone", case: current });
  if (current.state !== "AUTHORIZED" || current.authorization !== "human")
    return writeNothing({ kind: "not_open", case: current });
  const writes = takeSteps({
    previous: current,
    start: current,
    steps: [
      {
        name: "case.cancelled",
        actor: { kind: isApprover ? "reviewer" : "admin", id: params.personId },
        patch: { reasonId: "review.undone", authorization: null, dueAtMs: null, finishedAtMs: nowMs },
      },
    ],
    nowMs,
    messages: ["case.ended"],
  });
  return { answer: { kind: "undone", case: writes.next }, writes };
}
