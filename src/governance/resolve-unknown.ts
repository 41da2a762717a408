import type { Resolution } from "../domain/decision.ts";
import type { CaseRef, PersonId } from "../domain/ids.ts";
import type { CaseStore } from "./ports.ts";
import type { RecordDecisionDeps } from "./record-decision.ts";
import { payload } from "./transitions/plan.ts";
import type { ResolutionResult } from "./transitions/resolution.ts";

export interface ResolveUnknownDeps extends Omit<RecordDecisionDeps, "store"> {
  readonly store: Pick<CaseStore, "resolveUnknown">;
}

export interface HumanResolution {
  readonly ref: CaseRef;
  readonly personId: PersonId;
  readonly resolution: Resolution;
  /** How the person knows what happened. */
  readonly evidence: string;
  /** Digest the person was shown. */
  readonly digestShown: string;
}

/** Records what a person found out about a run whose outcome was unknown; "run again" wakes the engine. */
export async function resolveUnknown(
  resolution: HumanResolution,
  deps: ResolveUnknownDeps,
): Promise<ResolutionResult> {
  const result = await deps.store.resolveUnknown({
    ref: resolution.ref,
    personId: resolution.personId,
    resolution: resolution.resolution,
    evidence: payload("resolution", resolution.evidence, deps.random),
    digestShown: resolution.digestShown,
    runWithinMs: deps.runWithinMs,
    undoWithinMs: deps.undoWithinMs,
    writer: deps.writer,
    singleOperator: deps.singleOperator,
  });
  if (result.kind === "resolved" && result.case.state === "AUTHORIZED") deps.engine.wake(resolution.ref);
  return result;
}
