import { type Case, isTerminal } from "../../domain/case.ts";
import type { CaseRef, PersonId, Sha256Hex, WriterId } from "../../domain/ids.ts";
import type { Agent, Person } from "../../domain/principal.ts";
import type { KillSwitch } from "../ports.ts";
import { covers } from "./claim.ts";
import { expireStep } from "./ending.ts";
import {
  commitments,
  type Payload,
  type Plan,
  type Step,
  takeSteps,
  type UnknownCase,
  writeNothing,
} from "./plan.ts";

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

export interface DecisionParams {
  readonly ref: CaseRef;
  readonly personId: PersonId;
  readonly decision: Decision["decision"];
  /** Digest the person was shown; null when the caller showed none, which means the one on record of a case never decided before. */
  readonly digestShown: string | null;
  readonly reason: Payload | null;
  readonly runWithinMs: number;
  readonly writer: WriterId;
  /** Name of the portal that vouches for the person; null when they came with their own credential. */
  readonly via: string | null;
  /** The operator declared that one person runs everything; stamped into the event. */
  readonly singleOperator: boolean;
}

export interface DecisionSnapshot {
  readonly case: Case | null;
  readonly agent: Agent | null;
  readonly person: Person | null;
  readonly decisions: readonly Decision[];
  readonly killSwitches: readonly KillSwitch[];
  readonly nowMs: number;
}

export interface NotEntitled {
  readonly kind: "not_entitled";
  readonly because: "not_a_reviewer" | "owns_the_agent";
  readonly case: Case;
}

export type DecisionResult =
  /** `repeated`: the same person had said the same before; nothing was written. */
  | { readonly kind: "recorded"; readonly case: Case; readonly repeated: boolean }
  | NotEntitled
  | { readonly kind: "not_open"; readonly case: Case }
  | { readonly kind: "stale_digest"; readonly case: Case }
  | UnknownCase;

/** A human's approval or rejection, with its guard: entitled, in time, and about what was shown. */
export function planDecision(snapshot: DecisionSnapshot, params: DecisionParams): Plan<DecisionResult> {
  const { case: current, nowMs } = snapshot;
  if (current === null) return writeNothing({ kind: "unknown_case", ref: params.ref });
  const refusal = entitlementRefusal(snapshot, params);
  if (refusal !== undefined) return writeNothing({ kind: "not_entitled", because: refusal, case: current });
  if (isRepetition(snapshot, params))
    return writeNothing({ kind: "recorded", case: current, repeated: true });
  if (current.state !== "AWAITING_REVIEW") return writeNothing({ kind: "not_open", case: current });
  const frozen = snapshot.killSwitches.some((s) => covers(s, current));
  if (current.reviewByMs !== null && nowMs >= current.reviewByMs && !frozen) {
    const writes = takeSteps({
      previous: current,
      start: current,
      steps: [expireStep(current, params.writer, nowMs)],
      nowMs,
      messages: ["case.ended"],
    });
    return { answer: { kind: "not_open", case: writes.next }, writes };
  }
  // Once a case has come back to review, saying nothing of the digest would approve what was never shown.
  const shown = params.digestShown ?? (snapshot.decisions.length === 0 ? current.actionDigest : null);
  if (shown !== current.actionDigest) {
    return writeNothing({ kind: "stale_digest", case: current });
  }
  const writes = takeSteps({
    previous: current,
    start: current,
    steps: [decisionStep(current, params, nowMs)],
    nowMs,
    payloads: params.reason === null ? [] : [params.reason],
    decision: {
      ref: current.ref,
      personId: params.personId,
      decision: params.decision,
      digestShown: current.actionDigest,
      digestAuthorized: current.actionDigest,
      atMs: nowMs,
    },
    messages: params.decision === "REJECTED" ? ["case.ended"] : [],
  });
  return { answer: { kind: "recorded", case: writes.next, repeated: false }, writes };
}

/** Why this person may not decide on this case: the rule of four eyes. Undefined when they may. */
export function entitlementRefusal(
  snapshot: Pick<DecisionSnapshot, "person" | "agent">,
  params: Pick<DecisionParams, "singleOperator">,
): NotEntitled["because"] | undefined {
  const { person, agent } = snapshot;
  if (person === null || person.revokedAtMs !== null || !person.roles.includes("reviewer"))
    return "not_a_reviewer";
  if (agent === null) return "owns_the_agent";
  return agent.ownerId === person.id && !params.singleOperator ? "owns_the_agent" : undefined;
}

/** The same person said the same of the same digest, and it still stands. */
function isRepetition(snapshot: DecisionSnapshot, params: DecisionParams): boolean {
  const latest = snapshot.decisions.at(-1);
  const current = snapshot.case;
  if (latest === undefined || current === null || current.state === "AWAITING_REVIEW") return false;
  const stands = latest.personId === params.personId && latest.decision === params.decision;
  const sameDigest = params.digestShown === null || params.digestShown === latest.digestShown;
  const overtaken = isTerminal(current.state) && current.decidedBy === null;
  return stands && sameDigest && !overtaken;
}

function decisionStep(current: Case, params: DecisionParams, nowMs: number): Step {
  const actor = { kind: "reviewer", id: params.personId } as const;
  const decided = { decidedBy: params.personId, decidedAtMs: nowMs };
  const details = {
    digest_shown: current.actionDigest,
    digest_authorized: current.actionDigest,
    single_operator: params.singleOperator || undefined,
    via: params.via ?? undefined,
    commitments: params.reason === null ? undefined : commitments([params.reason]),
  };
  if (params.decision === "REJECTED") {
    return {
      name: "case.rejected",
      actor,
      patch: { ...decided, reasonId: "review.rejected", dueAtMs: null, finishedAtMs: nowMs },
      details,
    };
  }
  return {
    name: "case.authorized",
    actor,
    patch: {
      ...decided,
      reasonId: "review.approved",
      authorization: "human",
      authorizedDigest: current.actionDigest,
      runByMs: nowMs + params.runWithinMs,
      dueAtMs: nowMs,
    },
    details: { ...details, authorization: "human" },
  };
}
