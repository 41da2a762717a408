import type { Case, TransitionName } from "../../domain/case.ts";
import { findTransition } from "../../domain/case.ts";
import type { Decision } from "../../domain/decision.ts";
import { commitment } from "../../domain/digest.ts";
import { AtlasError } from "../../domain/errors.ts";
import { type CaseRef, type RandomBytes, randomHex, type Sha256Hex } from "../../domain/ids.ts";
import type { JsonValue } from "../../domain/jcs.ts";
import type { Actor } from "../../domain/principal.ts";
import type { LedgerEntry } from "../../ledger/event.ts";

/**
 * Texts kept beside a case, outside the ledger, so that they can be erased:
 * argument bytes, the agent's own where a reviewer edited them, forwarded `_meta`, the assessment with its rationale,
 * what a model was shown and answered,
 * the reviewer's reason, the result of a run after review, and how a person settled an unknown outcome.
 */
export const PAYLOAD_KINDS = [
  "arguments",
  "original_arguments",
  "meta",
  "assessment",
  "judgement",
  "reason",
  "result",
  "resolution",
] as const;
export type PayloadKind = (typeof PAYLOAD_KINDS)[number];

export interface Payload {
  readonly kind: PayloadKind;
  /** 128 random bits; erased together with the text. */
  readonly salt: string;
  readonly text: string;
}

export function payload(kind: PayloadKind, text: string, random: RandomBytes): Payload {
  return { kind, text, salt: randomHex(16, random) };
}

/** Salted commitments by payload kind, for a ledger event's details. */
export function commitments(payloads: readonly Payload[]): { [kind: string]: Sha256Hex } {
  return Object.fromEntries(payloads.map((p) => [p.kind, commitment(p.salt, p.text)]));
}

/**
 * What a command writes, decided by a pure function from the rows it read; a store only carries it
 * out, in one transaction. So both databases obey the same guards.
 */
export interface Writes {
  /** The row before; null inserts. A store writes `next` only where this revision still stands. */
  readonly previous: Case | null;
  readonly next: Case;
  readonly events: readonly LedgerEntry[];
  readonly payloads: readonly Payload[];
  readonly decision: Decision | null;
  readonly messages: readonly ("review.requested" | "case.ended")[];
  readonly durability: Durability;
}

/**
 * What a commit outlives before anybody hears of it: `full` the power, `normal` the process. Less than full is enough only for
 * a call that policy allows outright on a tool that somebody marked safe to repeat, and its events say so.
 */
export type Durability = "full" | "normal";

/** A command's answer, and what to write for it; null writes nothing. */
export interface Plan<Answer> {
  readonly answer: Answer;
  readonly writes: Writes | null;
}

export function writeNothing<Answer>(answer: Answer): Plan<Answer> {
  return { answer, writes: null };
}

export interface Step {
  readonly name: TransitionName;
  readonly actor: Actor;
  readonly patch: Partial<Case>;
  readonly details?: { readonly [key: string]: JsonValue | undefined };
}

/**
 * Takes one step of the table: the new row and its event.
 *
 * @throws AtlasError `internal` when the table has no such step: the caller's guard is wrong, and nothing may be written.
 */
export function take(
  current: Case,
  from: Case["state"] | null,
  step: Step,
): { next: Case; event: LedgerEntry } {
  const row = findTransition(step.name, from, step.actor.kind);
  if (row === undefined) {
    throw new AtlasError(
      "internal",
      `No transition ${step.name} from ${from} by ${step.actor.kind} (${current.ref}).`,
    );
  }
  const next: Case = { ...current, ...step.patch, state: row.to };
  return { next, event: caseEvent(step, from, next) };
}

function caseEvent(step: Step, from: Case["state"] | null, next: Case): LedgerEntry {
  return {
    type: step.name,
    case: next.ref,
    actor: step.actor,
    details: { from, to: next.state, reason: next.reasonId, revision: next.revision, ...step.details },
  };
}

export interface StepsParams {
  readonly previous: Case | null;
  /** The row to begin with: `previous`, or the draft of a new case. */
  readonly start: Case;
  readonly steps: readonly Step[];
  readonly nowMs: number;
  readonly payloads?: readonly Payload[];
  readonly decision?: Decision;
  readonly messages?: Writes["messages"];
  /** `full` where nothing is said. */
  readonly durability?: Durability;
}

/** Takes several steps in one commit. */
export function takeSteps(params: StepsParams): Writes {
  let current = { ...params.start, revision: (params.previous?.revision ?? 0) + 1 };
  let from: Case["state"] | null = params.previous === null ? null : params.start.state;
  const events: LedgerEntry[] = [];
  for (const step of params.steps) {
    const taken = take(current, from, step);
    current = taken.next;
    from = taken.next.state;
    events.push(params.durability === "normal" ? sealedLightly(taken.event) : taken.event);
  }
  // Whoever took the review took it where it was: what has moved on is nobody's.
  const moved = current.state !== params.start.state;
  return {
    previous: params.previous,
    next: { ...current, ...(moved && { takenBy: null, takenUntilMs: null }), updatedAtMs: params.nowMs },
    events,
    payloads: params.payloads ?? [],
    decision: params.decision ?? null,
    messages: params.messages ?? [],
    durability: params.durability ?? "full",
  };
}

function sealedLightly(event: LedgerEntry): LedgerEntry {
  return { ...event, details: { ...event.details, durability: "normal" } };
}

/** The answer to a command on a case that does not exist. */
export interface UnknownCase {
  readonly kind: "unknown_case";
  readonly ref: CaseRef;
}
