import type { Case } from "../../domain/case.ts";
import { actionDigest } from "../../domain/digest.ts";
import type { WriterId } from "../../domain/ids.ts";
import { planLost } from "./outcome.ts";
import { type Step, takeSteps, type Writes } from "./plan.ts";

export interface RestoredCaseParams {
  readonly writer: WriterId;
  readonly newNonce: string;
  /** Time a human gets from now on. */
  readonly reviewForMs: number;
}

/**
 * What becomes of a case that a restored copy says is open. Since the copy was made it may have been decided, run or withdrawn, and
 * nothing here can tell: no authorization of the copy stands, and no decision made on what was shown then.
 *
 * @returns null when the case has ended, is with a human already as UNKNOWN, or went through this before
 */
export function planRestored(current: Case, nowMs: number, params: RestoredCaseParams): Writes | null {
  if (current.state === "EXECUTING") {
    const { ref, fencingToken: token } = current;
    // Whoever claimed it wrote to another database: it cannot report here any more.
    return planLost(current, nowMs, { ref, writer: params.writer, token: token ?? -1, claimantIsDead: true })
      .writes;
  }
  const isOpen =
    current.state === "ASSESSING" || current.state === "AWAITING_REVIEW" || current.state === "AUTHORIZED";
  if (!isOpen || current.reasonId === "restore.uncertain") return null;
  const digest = actionDigest({ ...current, nonce: params.newNonce });
  const reviewByMs = nowMs + params.reviewForMs;
  const step: Step = {
    name: "case.review_requested",
    actor: { kind: "reconciler", id: params.writer },
    patch: {
      nonce: params.newNonce,
      actionDigest: digest,
      authorization: null,
      authorizedDigest: null,
      reasonId: "restore.uncertain",
      reviewByMs,
      runFromMs: null,
      runByMs: null,
      dueAtMs: reviewByMs,
      takenBy: null,
      takenUntilMs: null,
      decidedBy: null,
      decidedAtMs: null,
    },
    details: { digest },
  };
  return takeSteps({
    previous: current,
    start: current,
    steps: [step],
    nowMs,
    messages: ["review.requested"],
  });
}
