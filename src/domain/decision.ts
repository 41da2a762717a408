import type { CaseRef, PersonId, Sha256Hex } from "./ids.ts";

export const DECISIONS = ["APPROVED", "REJECTED"] as const;

/** What a human said of a case; kept for as long as the case. */
export interface Decision {
  readonly ref: CaseRef;
  readonly personId: PersonId;
  readonly decision: (typeof DECISIONS)[number];
  /** Digest the person was shown, and the one the decision is about. */
  readonly digestShown: Sha256Hex;
  readonly digestAuthorized: Sha256Hex;
  readonly atMs: number;
}

/** What a person says of a run whose outcome nobody knew: it happened, it did not, or it shall be run again. */
export const RESOLUTIONS = ["SUCCEEDED", "FAILED", "RUN_AGAIN"] as const;
export type Resolution = (typeof RESOLUTIONS)[number];
