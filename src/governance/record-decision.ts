import type { CaseRef, PersonId, RandomBytes, WriterId } from "../domain/ids.ts";
import type { CaseStore, Engine } from "./ports.ts";
import type { Decision, DecisionResult } from "./transitions/decision.ts";
import { payload } from "./transitions/plan.ts";

export interface RecordDecisionDeps {
  readonly store: Pick<CaseStore, "recordDecision">;
  readonly engine: Pick<Engine, "wake">;
  readonly random: RandomBytes;
  readonly writer: WriterId;
  readonly runWithinMs: number;
  readonly singleOperator: boolean;
}

export interface HumanDecision {
  readonly ref: CaseRef;
  readonly personId: PersonId;
  readonly decision: Decision["decision"];
  /** Digest the person was shown; null when the caller shows none. */
  readonly digestShown: string | null;
  /** Name of the portal that vouches for the person; absent when they came with their own credential. */
  readonly via?: string;
  /** What the agent will read; null for none. */
  readonly reason: string | null;
}

/** Records what a person decided, and wakes the engine once that is durable. The same decision twice is answered as the first time. */
export async function recordDecision(
  decision: HumanDecision,
  deps: RecordDecisionDeps,
): Promise<DecisionResult> {
  const result = await deps.store.recordDecision({
    ref: decision.ref,
    personId: decision.personId,
    decision: decision.decision,
    digestShown: decision.digestShown,
    reason: decision.reason === null ? null : payload("reason", decision.reason, deps.random),
    runWithinMs: deps.runWithinMs,
    writer: deps.writer,
    via: decision.via ?? null,
    singleOperator: deps.singleOperator,
  });
  if (result.kind === "recorded") deps.engine.wake(decision.ref);
  return result;
}
