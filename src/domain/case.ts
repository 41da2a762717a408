import type { Classification, Verdict } from "./assessment.ts";
import type { AgentId, CaseRef, PersonId, Sha256Hex, WriterId } from "./ids.ts";
import type { ActorKind } from "./principal.ts";
import type { ReasonId } from "./reasons.ts";

export const CASE_STATES = [
  "ASSESSING",
  "AWAITING_REVIEW",
  "AUTHORIZED",
  "EXECUTING",
  "UNKNOWN",
  "SUCCEEDED",
  "FAILED",
  "DENIED",
  "REJECTED",
  "EXPIRED",
  "CANCELLED",
] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** Why a case may run. */
export type Authorization = "policy" | "auto" | "human";

/** Ends of a case; nothing leads out of them. UNKNOWN is not one: a human still has to say what happened. */
export const TERMINAL_STATES = ["SUCCEEDED", "FAILED", "DENIED", "REJECTED", "EXPIRED", "CANCELLED"] as const;

export function isTerminal(state: CaseState): boolean {
  return (TERMINAL_STATES as readonly CaseState[]).includes(state);
}

/** Name of a transition; also the type of its ledger event. */
export type TransitionName =
  | "case.opened"
  | "case.denied"
  | "case.authorized"
  | "case.review_requested"
  | "case.edited"
  | "review.taken"
  | "review.released"
  | "case.rejected"
  | "case.expired"
  | "case.cancelled"
  | "case.claimed"
  | "case.released"
  | "case.succeeded"
  | "case.failed"
  | "case.unknown";

export interface TransitionRow {
  readonly name: TransitionName;
  /** null: the case does not exist yet. */
  readonly from: CaseState | null;
  readonly to: CaseState;
  readonly actors: readonly ActorKind[];
}

const row = (
  name: TransitionName,
  from: CaseState | null,
  to: CaseState,
  ...actors: readonly ActorKind[]
): TransitionRow => ({ name, from, to, actors });

/** Every transition there is. What is not here cannot happen; guards that need data are in `governance/transitions/`. */
export const TRANSITIONS: readonly TransitionRow[] = [
  row("case.opened", null, "ASSESSING", "agent"),
  row("case.denied", "ASSESSING", "DENIED", "policy"),
  row("case.authorized", "ASSESSING", "AUTHORIZED", "policy", "assessor"),
  row("case.review_requested", "ASSESSING", "AWAITING_REVIEW", "policy", "assessor", "reconciler"),
  row("case.cancelled", "ASSESSING", "CANCELLED", "agent", "admin"),
  row("case.authorized", "AWAITING_REVIEW", "AUTHORIZED", "reviewer"),
  row("case.edited", "AWAITING_REVIEW", "AWAITING_REVIEW", "reviewer"),
  // Who works on it: nothing else changes.
  row("review.taken", "AWAITING_REVIEW", "AWAITING_REVIEW", "reviewer"),
  row("review.released", "AWAITING_REVIEW", "AWAITING_REVIEW", "reviewer", "admin"),
  row("review.taken", "UNKNOWN", "UNKNOWN", "reviewer"),
  row("review.released", "UNKNOWN", "UNKNOWN", "reviewer", "admin"),
  row("case.rejected", "AWAITING_REVIEW", "REJECTED", "reviewer"),
  row("case.expired", "AWAITING_REVIEW", "EXPIRED", "engine"),
  row("case.cancelled", "AWAITING_REVIEW", "CANCELLED", "agent", "admin"),
  row("case.claimed", "AUTHORIZED", "EXECUTING", "dispatcher"),
  row("case.review_requested", "AUTHORIZED", "AWAITING_REVIEW", "policy", "reconciler"),
  // After a restore: whatever a copy of the record says is open may have gone on since.
  row("case.review_requested", "AWAITING_REVIEW", "AWAITING_REVIEW", "reconciler"),
  row("case.denied", "AUTHORIZED", "DENIED", "policy"),
  row("case.cancelled", "AUTHORIZED", "CANCELLED", "agent", "reviewer", "admin"),
  row("case.expired", "AUTHORIZED", "EXPIRED", "engine"),
  row("case.succeeded", "EXECUTING", "SUCCEEDED", "dispatcher"),
  // By the reconciler only for calls that are safe to repeat: nobody needs to find out whether a read happened.
  row("case.failed", "EXECUTING", "FAILED", "dispatcher", "reconciler"),
  row("case.released", "EXECUTING", "AUTHORIZED", "dispatcher"),
  row("case.unknown", "EXECUTING", "UNKNOWN", "dispatcher", "reconciler"),
  row("case.succeeded", "UNKNOWN", "SUCCEEDED", "reviewer"),
  row("case.failed", "UNKNOWN", "FAILED", "reviewer"),
  row("case.authorized", "UNKNOWN", "AUTHORIZED", "reviewer"),
];

/** The transition of that name, from that state, by that kind of actor; undefined when the table has none. */
export function findTransition(
  name: TransitionName,
  from: CaseState | null,
  actor: ActorKind,
): TransitionRow | undefined {
  return TRANSITIONS.find((t) => t.name === name && t.from === from && t.actors.includes(actor));
}

/** The durable record of one governed call. Times are epoch milliseconds of the database's clock. */
export interface Case {
  readonly ref: CaseRef;
  readonly state: CaseState;
  /** Raised by one with every change; orders live updates. */
  readonly revision: number;

  readonly agentId: AgentId;
  readonly upstream: string;
  readonly upstreamFingerprint: Sha256Hex;
  /** Name at the upstream. */
  readonly tool: string;
  /** Name the agent called. */
  readonly exposedName: string;
  readonly toolPin: Sha256Hex;
  readonly safeToRepeat: boolean;
  readonly nonce: string;
  readonly argumentsSha256: Sha256Hex;
  readonly metaSha256: Sha256Hex | null;
  readonly joinKey: Sha256Hex;
  /** What an approval of this case must name. */
  readonly actionDigest: Sha256Hex;

  readonly verdict: Verdict;
  readonly ruleId: string | null;
  readonly policyVersion: string;
  readonly riskScore: number | null;
  readonly classification: Classification | null;
  readonly assessor: string | null;

  readonly authorization: Authorization | null;
  /** The digest the authorization names; equal to `actionDigest` or the authorization is void. */
  readonly authorizedDigest: Sha256Hex | null;
  /** Why the call would have been held or denied, had the gateway not only observed; null when it enforced. */
  readonly observedReasonId: ReasonId | null;
  /** Why the case is where it is. */
  readonly reasonId: ReasonId;

  readonly openedAtMs: number;
  readonly updatedAtMs: number;
  /** Deadline of the human. */
  readonly reviewByMs: number | null;
  /** Until then a person who approved may still undo it, and no claim is made; null when there is no time to undo. */
  readonly runFromMs: number | null;
  /** Deadline of the run after authorization. */
  readonly runByMs: number | null;
  /** When the engine must look at this case again if nothing else happens; null when nothing is due. */
  readonly dueAtMs: number | null;

  /** Who took the review; ask {@link holderOf}, for it ends by itself. */
  readonly takenBy: PersonId | null;
  readonly takenUntilMs: number | null;

  readonly decidedBy: PersonId | null;
  readonly decidedAtMs: number | null;

  /** Token of the latest claim; a writer with an older one may not record an outcome. */
  readonly fencingToken: number | null;
  readonly claimedBy: WriterId | null;
  readonly claimedAtMs: number | null;
  /** Failed attempts to reach the upstream before anything was sent. */
  readonly attempts: number;
  readonly finishedAtMs: number | null;

  /** An earlier case of the same call that ended shortly before. */
  readonly identicalTo: CaseRef | null;
  /** When the agent was told of the end; `check_status` without a reference lists what it was not told of. */
  readonly reportedAtMs: number | null;
  /** When arguments, assessment and every other text of the case were erased, because their time was over; null while they are kept. */
  readonly textsErasedAtMs: number | null;
  /** When the kept result of its run was erased; null while it is kept, and when none ever was. */
  readonly resultErasedAtMs: number | null;
}

/** Who works on the case now; null when nobody does. A review that was taken and left ends by the clock, without a timer. */
export function holderOf(current: Pick<Case, "takenBy" | "takenUntilMs">, nowMs: number): PersonId | null {
  return current.takenUntilMs !== null && nowMs < current.takenUntilMs ? current.takenBy : null;
}
