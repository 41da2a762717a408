import type { Decision } from "../domain/decision.ts";
import type { CaseRef, PersonId, RandomBytes, WriterId } from "../domain/ids.ts";
import { type EditArgumentsDeps, type EditProblem, editArguments } from "./edit-arguments.ts";
import type { CaseStore, Engine } from "./ports.ts";
import type { ArgumentEdit, DecisionResult } from "./transitions/decision.ts";
import { payload } from "./transitions/plan.ts";

export interface RecordDecisionDeps {
  readonly store: Pick<CaseStore, "recordDecision">;
  readonly engine: Pick<Engine, "wake">;
  readonly random: RandomBytes;
  readonly writer: WriterId;
  readonly runWithinMs: number;
  /** Time to undo an approval before it may run; 0 for none. */
  readonly undoWithinMs: number;
  readonly singleOperator: boolean;
  /** What an edit of the arguments is checked with. */
  readonly editing: EditArgumentsDeps;
}

export interface HumanDecision {
  readonly ref: CaseRef;
  readonly personId: PersonId;
  readonly decision: Decision["decision"];
  /** Digest the person was shown; null when the caller shows none. */
  readonly digestShown: string | null;
  /** Arguments as JSON text that shall run instead of the agent's; absent for the case as it is. */
  readonly argumentsText?: string;
  /** Name of the portal that vouches for the person; absent when they came with their own credential. */
  readonly via?: string;
  /** What the agent will read; null for none. */
  readonly reason: string | null;
}

export type RecordedDecision =
  | Exclude<DecisionResult, { kind: "policy_outdated" }>
  | { readonly kind: "edit_invalid"; readonly detail: string };

/** How often an edit is ruled anew because the policy changed under it. */
const MAX_RULINGS = 3;

/**
 * Records what a person decided, and wakes the engine once that is durable. The same decision twice is answered as the first time.
 * With arguments of their own the person approves another call: it is checked, ruled on and scored like the agent's.
 */
export async function recordDecision(
  decision: HumanDecision,
  deps: RecordDecisionDeps,
): Promise<RecordedDecision> {
  const { ref } = decision;
  for (let ruling = 0; ruling < MAX_RULINGS; ruling++) {
    const edit = await prepareEdit(decision, deps);
    if ("kind" in edit)
      return edit.kind === "unknown_case"
        ? { kind: "unknown_case", ref }
        : { kind: "edit_invalid", detail: edit.detail };
    const result = await deps.store.recordDecision({
      ref,
      personId: decision.personId,
      decision: decision.decision,
      digestShown: decision.digestShown,
      reason: decision.reason === null ? null : payload("reason", decision.reason, deps.random),
      edit: edit.value,
      runWithinMs: deps.runWithinMs,
      undoWithinMs: deps.undoWithinMs,
      writer: deps.writer,
      via: decision.via ?? null,
      singleOperator: deps.singleOperator,
    });
    if (result.kind === "policy_outdated") continue;
    if (result.kind === "recorded") deps.engine.wake(ref);
    return result;
  }
  return { kind: "edit_invalid", detail: "the policy keeps changing; decide again" };
}

async function prepareEdit(
  decision: HumanDecision,
  deps: RecordDecisionDeps,
): Promise<{ readonly value: ArgumentEdit | null } | EditProblem> {
  if (decision.argumentsText === undefined) return { value: null };
  if (decision.decision === "REJECTED") return { kind: "invalid", detail: "a rejection takes no arguments" };
  const edit = await editArguments(
    { ref: decision.ref, argumentsText: decision.argumentsText },
    deps.editing,
  );
  return edit.ok ? { value: edit.value } : edit.failure;
}
