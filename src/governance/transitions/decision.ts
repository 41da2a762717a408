import type { Assessment } from "../../domain/assessment.ts";
import { type Case, holderOf, isTerminal } from "../../domain/case.ts";
import type { Decision } from "../../domain/decision.ts";
import { actionDigest, joinKey, sha256 } from "../../domain/digest.ts";
import type { CaseRef, PersonId, Sha256Hex, WriterId } from "../../domain/ids.ts";
import { covers, type KillSwitch } from "../../domain/kill-switch.ts";
import type { Agent, Person } from "../../domain/principal.ts";
import type { PolicyAnswer } from "../../policy/policy.ts";
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

/** Arguments that a reviewer put in place of the agent's, with everything the machines say of them. */
export interface ArgumentEdit {
  readonly arguments: Payload;
  /** What the agent had sent, kept beside the new ones. */
  readonly original: Payload;
  readonly policy: PolicyAnswer;
  /** null when policy denied without one. */
  readonly assessment: { readonly value: Assessment; readonly payload: Payload } | null;
  /** Nonce of the new digest. */
  readonly newNonce: string;
}

export interface DecisionParams {
  readonly ref: CaseRef;
  readonly personId: PersonId;
  readonly decision: Decision["decision"];
  /** Digest the person was shown; null when the caller showed none, which means the one on record of a case never decided before. */
  readonly digestShown: string | null;
  readonly reason: Payload | null;
  /** null approves or rejects the case as it is. */
  readonly edit: ArgumentEdit | null;
  readonly runWithinMs: number;
  /** Time to undo an approval before it may run; 0 for none. */
  readonly undoWithinMs: number;
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
  readonly policyVersion: string | null;
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
  /** Another reviewer works on it. */
  | { readonly kind: "taken_by_another"; readonly case: Case }
  | { readonly kind: "stale_digest"; readonly case: Case }
  /** The policy changed since the edit was ruled on: rule again. */
  | { readonly kind: "policy_outdated" }
  /** Policy denies the call as edited; the case stays as it was. */
  | { readonly kind: "edit_denied"; readonly case: Case }
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
  if (isTakenByAnother(current, params.personId, nowMs))
    return writeNothing({ kind: "taken_by_another", case: current });
  // Once a case has come back to review, saying nothing of the digest would approve what was never shown.
  const shown = params.digestShown ?? (snapshot.decisions.length === 0 ? current.actionDigest : null);
  if (shown !== current.actionDigest) {
    return writeNothing({ kind: "stale_digest", case: current });
  }
  const { edit } = params;
  if (edit !== null && edit.policy.version !== snapshot.policyVersion)
    return writeNothing({ kind: "policy_outdated" });
  if (edit?.policy.verdict === "deny") return writeNothing({ kind: "edit_denied", case: current });
  const edited = edit === null ? null : editStep(current, edit, params);
  const digestAuthorized = edited?.patch.actionDigest ?? current.actionDigest;
  const writes = takeSteps({
    previous: current,
    start: current,
    steps: [...(edited === null ? [] : [edited]), decisionStep(current, digestAuthorized, params, nowMs)],
    nowMs,
    payloads: [...(params.reason === null ? [] : [params.reason]), ...editPayloads(edit)],
    decision: {
      ref: current.ref,
      personId: params.personId,
      decision: params.decision,
      digestShown: current.actionDigest,
      digestAuthorized,
      atMs: nowMs,
    },
    messages: params.decision === "REJECTED" ? ["case.ended"] : [],
  });
  return { answer: { kind: "recorded", case: writes.next, repeated: false }, writes };
}

/** Whoever took the review has the word until they give it back, their time is over, or somebody takes it over by name. */
export function isTakenByAnother(current: Case, personId: PersonId, nowMs: number): boolean {
  const holder = holderOf(current, nowMs);
  return holder !== null && holder !== personId;
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
  const wasEdited = latest.digestShown !== latest.digestAuthorized;
  const sameEdit =
    params.edit === null ? !wasEdited : sha256(params.edit.arguments.text) === current.argumentsSha256;
  const overtaken =
    current.reasonId === "review.undone" || (isTerminal(current.state) && current.decidedBy === null);
  return stands && sameDigest && sameEdit && !overtaken;
}

/** Puts the edited arguments in place: another call, and so another digest. */
function editStep(current: Case, edit: ArgumentEdit, params: DecisionParams): Step {
  const argumentsSha256 = sha256(edit.arguments.text);
  const digest = actionDigest({ ...current, argumentsSha256, nonce: edit.newNonce });
  const assessed = edit.assessment?.value;
  return {
    name: "case.edited",
    actor: { kind: "reviewer", id: params.personId },
    patch: {
      nonce: edit.newNonce,
      argumentsSha256,
      joinKey: joinKey({ ...current, argumentsSha256 }),
      actionDigest: digest,
      verdict: edit.policy.verdict,
      ruleId: edit.policy.ruleId,
      policyVersion: edit.policy.version,
      riskScore: assessed?.risk_score ?? null,
      classification: assessed?.classification ?? null,
      assessor: assessed?.assessor ?? null,
    },
    details: {
      digest_shown: current.actionDigest,
      digest,
      risk_score: assessed?.risk_score,
      policy_version: edit.policy.version,
      rule: edit.policy.ruleId,
      commitments: commitments(editPayloads(edit)),
    },
  };
}

function editPayloads(edit: ArgumentEdit | null): readonly Payload[] {
  if (edit === null) return [];
  const assessment = edit.assessment === null ? [] : [edit.assessment.payload];
  return [edit.arguments, edit.original, ...assessment];
}

function decisionStep(
  current: Case,
  digestAuthorized: Sha256Hex,
  params: DecisionParams,
  nowMs: number,
): Step {
  const actor = { kind: "reviewer", id: params.personId } as const;
  const decided = { decidedBy: params.personId, decidedAtMs: nowMs };
  const details = {
    digest_shown: current.actionDigest,
    digest_authorized: digestAuthorized,
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
      ...humanAuthorization(digestAuthorized, nowMs, params),
      reasonId: "review.approved",
    },
    details: { ...details, authorization: "human" },
  };
}

/**
 * What makes a case one that a human authorized: the digest they authorized, the time to undo it, and the time it has to run.
 * Time to undo is part of the time to run, so that no approval lives longer than the operator said.
 */
export function humanAuthorization(
  digest: Sha256Hex,
  nowMs: number,
  times: Pick<DecisionParams, "runWithinMs" | "undoWithinMs">,
): Partial<Case> {
  const runFromMs = times.undoWithinMs > 0 ? nowMs + times.undoWithinMs : null;
  return {
    authorization: "human",
    authorizedDigest: digest,
    runFromMs,
    runByMs: nowMs + times.runWithinMs,
    dueAtMs: runFromMs ?? nowMs,
  };
}
