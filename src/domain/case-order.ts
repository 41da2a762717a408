import type { Case } from "./case.ts";
import type { CaseRef } from "./ids.ts";

/** How a list of cases is put: the newest first, the next deadline first, or the highest score first. */
export const CASE_ORDERS = ["newest", "deadline", "risk"] as const;
export type CaseOrder = (typeof CASE_ORDERS)[number];

/** Where a case stands in an order: what it is ordered by, and its reference where that is the same. */
export interface CasePosition {
  readonly key: number;
  readonly ref: CaseRef;
}

/** Later than any deadline: a case without one comes after every one that has one. */
export const NO_DEADLINE = Number.MAX_SAFE_INTEGER;
/** Below any score: a case without one comes after every one that has one. */
export const NO_SCORE = -1;

/** The position from which a list goes on after this case, whatever has come or gone before it. */
export function positionOf(current: Case, order: CaseOrder): CasePosition {
  switch (order) {
    case "newest":
      return { key: current.openedAtMs, ref: current.ref };
    case "deadline":
      return { key: current.reviewByMs ?? NO_DEADLINE, ref: current.ref };
    case "risk":
      return { key: current.riskScore ?? NO_SCORE, ref: current.ref };
    default:
      return order satisfies never;
  }
}
