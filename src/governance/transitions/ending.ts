import { type Case, findTransition, isTerminal } from "../../domain/case.ts";
import type { CaseRef, WriterId } from "../../domain/ids.ts";
import { covers, type KillSwitch } from "../../domain/kill-switch.ts";
import type { Actor } from "../../domain/principal.ts";
import { type Plan, type Step, takeSteps, type UnknownCase, writeNothing } from "./plan.ts";

export interface WithdrawParams {
  readonly ref: CaseRef;
  readonly actor: Extract<Actor, { kind: "agent" | "reviewer" | "admin" }>;
}

export type WithdrawResult =
  | { readonly kind: "withdrawn"; readonly case: Case }
  /** Already running or ended, or not this actor's to withdraw where it is: a reviewer rejects what waits for review. */
  | { readonly kind: "not_open"; readonly case: Case }
  | UnknownCase;

/** Explicit withdrawal, possible until the claim. An agent can only withdraw its own case; another's does not exist for it. */
export function planWithdraw(
  current: Case | null,
  nowMs: number,
  params: WithdrawParams,
): Plan<WithdrawResult> {
  const isOthers = params.actor.kind === "agent" && current?.agentId !== params.actor.id;
  if (current === null || isOthers) return writeNothing({ kind: "unknown_case", ref: params.ref });
  if (findTransition("case.cancelled", current.state, params.actor.kind) === undefined) {
    return writeNothing({ kind: "not_open", case: current });
  }
  const step: Step = {
    name: "case.cancelled",
    actor: params.actor,
    patch: {
      reasonId: "request.withdrawn",
      authorization: null,
      dueAtMs: null,
      finishedAtMs: nowMs,
      // The agent that withdrew knows how it ended.
      reportedAtMs: params.actor.kind === "agent" ? nowMs : null,
    },
  };
  const writes = takeSteps({
    previous: current,
    start: current,
    steps: [step],
    nowMs,
    messages: ["case.ended"],
  });
  return { answer: { kind: "withdrawn", case: writes.next }, writes };
}

export interface ExpireParams {
  readonly ref: CaseRef;
  readonly writer: WriterId;
}

export type ExpireResult =
  | { readonly kind: "expired"; readonly case: Case }
  | { readonly kind: "not_due"; readonly case: Case }
  | UnknownCase;

/** A deadline that has passed by the database's clock ends the case, unless a kill switch holds it: then the deadline is frozen. */
export function planExpire(
  current: Case | null,
  guards: { readonly nowMs: number; readonly killSwitches: readonly KillSwitch[] },
  params: ExpireParams,
): Plan<ExpireResult> {
  if (current === null) return writeNothing({ kind: "unknown_case", ref: params.ref });
  const deadlineMs = deadlineOf(current);
  const frozen = guards.killSwitches.some((s) => covers(s, current));
  if (isTerminal(current.state) || deadlineMs === null || guards.nowMs < deadlineMs || frozen) {
    return writeNothing({ kind: "not_due", case: current });
  }
  const writes = takeSteps({
    previous: current,
    start: current,
    steps: [expireStep(current, params.writer, guards.nowMs)],
    nowMs: guards.nowMs,
    messages: ["case.ended"],
  });
  return { answer: { kind: "expired", case: writes.next }, writes };
}

function deadlineOf(current: Case): number | null {
  if (current.state === "AWAITING_REVIEW") return current.reviewByMs;
  if (current.state === "AUTHORIZED") return current.runByMs;
  return null;
}

export function expireStep(current: Case, writer: WriterId, nowMs: number): Step {
  return {
    name: "case.expired",
    actor: { kind: "engine", id: writer },
    patch: {
      reasonId: current.state === "AWAITING_REVIEW" ? "review.expired" : "run.expired",
      authorization: null,
      dueAtMs: null,
      finishedAtMs: nowMs,
    },
  };
}
