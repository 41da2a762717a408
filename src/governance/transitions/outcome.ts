import type { Case } from "../../domain/case.ts";
import type { CaseRef, Sha256Hex, WriterId } from "../../domain/ids.ts";
import type { ReasonId } from "../../domain/reasons.ts";
import {
  commitments,
  type Durability,
  type Payload,
  type Plan,
  type Step,
  takeSteps,
  type UnknownCase,
  writeNothing,
} from "./plan.ts";

export interface OutcomeParams {
  readonly ref: CaseRef;
  readonly writer: WriterId;
  /** Token of the claim this outcome belongs to. */
  readonly token: number;
  readonly to: "SUCCEEDED" | "FAILED" | "UNKNOWN";
  readonly reasonId: ReasonId;
  /** SHA-256 of the upstream's answer as JSON; null when there was none. */
  readonly resultSha256: Sha256Hex | null;
  /** The answer itself, kept only for runs after review. */
  readonly result: Payload | null;
  /** The agent is on the line and hears of it at once. */
  readonly reported: boolean;
  /** That of the commit that opened the case; `full` where nothing is said. */
  readonly durability?: Durability;
}

export type OutcomeResult =
  | { readonly kind: "recorded"; readonly case: Case }
  /** The claim is not (any more) this one: a later claim or the reconciler has the word. */
  | { readonly kind: "fenced"; readonly case: Case }
  | UnknownCase;

/** Records how a claimed run ended; only the holder of the latest token may. */
export function planOutcome(current: Case | null, nowMs: number, params: OutcomeParams): Plan<OutcomeResult> {
  const guard = holdsClaim(current, params);
  if (guard.kind !== "held") return writeNothing(guard);
  const ended = params.to !== "UNKNOWN";
  const step: Step = {
    name: outcomeName(params.to),
    actor: { kind: "dispatcher", id: params.writer },
    patch: {
      reasonId: params.reasonId,
      dueAtMs: null,
      finishedAtMs: ended ? nowMs : null,
      reportedAtMs: params.reported && ended ? nowMs : null,
    },
    details: {
      token: params.token,
      result_sha256: params.resultSha256,
      commitments: params.result === null ? undefined : commitments([params.result]),
    },
  };
  const writes = takeSteps({
    previous: guard.case,
    start: guard.case,
    steps: [step],
    nowMs,
    ...(ended && params.durability !== undefined && { durability: params.durability }),
    payloads: params.result === null ? [] : [params.result],
    messages: params.reported && ended ? [] : ["case.ended"],
  });
  return { answer: { kind: "recorded", case: writes.next }, writes };
}

function outcomeName(to: OutcomeParams["to"]): Step["name"] {
  switch (to) {
    case "SUCCEEDED":
      return "case.succeeded";
    case "FAILED":
      return "case.failed";
    case "UNKNOWN":
      return "case.unknown";
    default:
      return to satisfies never;
  }
}

export interface ReleaseParams {
  readonly ref: CaseRef;
  readonly writer: WriterId;
  readonly token: number;
  readonly reasonId: "upstream.unreachable" | "dispatch.late";
  /** When the engine tries again. */
  readonly retryAtMs: number;
}

/** Gives a claim back when provably nothing was sent; the authorization stands until `runByMs`. */
export function planRelease(current: Case | null, nowMs: number, params: ReleaseParams): Plan<OutcomeResult> {
  const guard = holdsClaim(current, params);
  if (guard.kind !== "held") return writeNothing(guard);
  const step: Step = {
    name: "case.released",
    actor: { kind: "dispatcher", id: params.writer },
    patch: {
      reasonId: params.reasonId,
      claimedBy: null,
      claimedAtMs: null,
      attempts: guard.case.attempts + 1,
      dueAtMs: params.retryAtMs,
    },
    details: { token: params.token },
  };
  const writes = takeSteps({ previous: guard.case, start: guard.case, steps: [step], nowMs });
  return { answer: { kind: "recorded", case: writes.next }, writes };
}

export interface LostParams {
  readonly ref: CaseRef;
  readonly writer: WriterId;
  /** Token of the claim that is given up. */
  readonly token: number;
  /** The claiming process is proven dead (the exclusive lock is ours), so there is nothing to wait for. */
  readonly claimantIsDead: boolean;
}

/**
 * Settles a claim that nobody will report on: UNKNOWN, or FAILED where running again does no harm. Without proof that the claimant is dead it waits for
 * `dueAtMs`: the time to dispatch, the upstream's deadline and a margin for clocks, all past.
 */
export function planLost(current: Case | null, nowMs: number, params: LostParams): Plan<OutcomeResult> {
  const guard = holdsClaim(current, params);
  if (guard.kind !== "held") return writeNothing(guard);
  const overdue = guard.case.dueAtMs !== null && nowMs >= guard.case.dueAtMs;
  if (!params.claimantIsDead && !overdue) return writeNothing({ kind: "fenced", case: guard.case });
  const { safeToRepeat } = guard.case;
  const step: Step = {
    name: safeToRepeat ? "case.failed" : "case.unknown",
    actor: { kind: "reconciler", id: params.writer },
    patch: { reasonId: "dispatch.lost", dueAtMs: null, finishedAtMs: safeToRepeat ? nowMs : null },
    details: { token: params.token, safe_to_repeat: safeToRepeat || undefined },
  };
  const writes = takeSteps({
    previous: guard.case,
    start: guard.case,
    steps: [step],
    nowMs,
    messages: ["case.ended"],
  });
  return { answer: { kind: "recorded", case: writes.next }, writes };
}

function holdsClaim(
  current: Case | null,
  params: { readonly ref: CaseRef; readonly token: number },
): { readonly kind: "held"; readonly case: Case } | Exclude<OutcomeResult, { kind: "recorded" }> {
  if (current === null) return { kind: "unknown_case", ref: params.ref };
  if (current.state !== "EXECUTING" || current.fencingToken !== params.token)
    return { kind: "fenced", case: current };
  return { kind: "held", case: current };
}
