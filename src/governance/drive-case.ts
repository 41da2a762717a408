import { isTerminal } from "../domain/case.ts";
import type { CaseRef } from "../domain/ids.ts";
import { type AssessCaseDeps, assessCase } from "./assess-case.ts";
import { type ExecuteOnceDeps, executeOnce } from "./execute-once.ts";

export interface DriveCaseDeps extends ExecuteOnceDeps, Omit<AssessCaseDeps, keyof ExecuteOnceDeps> {
  readonly store: ExecuteOnceDeps["store"] & AssessCaseDeps["store"];
  readonly upstreams: ExecuteOnceDeps["upstreams"] & AssessCaseDeps["upstreams"];
  /** Claims of other writers are those of dead processes: this gateway holds the exclusive lock. */
  readonly otherWritersAreDead: boolean;
}

/**
 * Does whatever a case needs now: its score, its deadline, its run, or the end of a claim that nobody will report on.
 * Safe to call at any time, twice, or late.
 */
export async function driveCase(ref: CaseRef, deps: DriveCaseDeps): Promise<void> {
  const current = await deps.store.getCase(ref);
  if (current === null || isTerminal(current.state)) return;
  switch (current.state) {
    case "ASSESSING": {
      const assessed = await assessCase(ref, deps);
      if (assessed?.case.state === "AUTHORIZED") await executeOnce(ref, deps);
      return;
    }
    case "AWAITING_REVIEW":
      await deps.store.expire({ ref, writer: deps.writer });
      return;
    case "AUTHORIZED": {
      const expiry = await deps.store.expire({ ref, writer: deps.writer });
      // Still to be undone: the row is due again when that is over, and the claim looks once more.
      const mayRun = current.runFromMs === null || deps.clock.nowMs() >= current.runFromMs;
      if (expiry.kind === "not_due" && mayRun) await executeOnce(ref, deps);
      return;
    }
    case "EXECUTING": {
      if (current.fencingToken === null) return;
      const claimantIsDead = deps.otherWritersAreDead && current.claimedBy !== deps.writer;
      await deps.store.recordLost({ ref, writer: deps.writer, token: current.fencingToken, claimantIsDead });
      return;
    }
    default:
  }
}
