import type { Clock } from "../domain/clock.ts";
import type { AgentId, CaseRef } from "../domain/ids.ts";
import type { ReasonId } from "../domain/reasons.ts";
import type { CallAnswer } from "./raw-call.ts";

/** Hears how calls went, for log and metrics: ids and times, never a text. Must not throw. */
export interface Meter {
  /** An agent was answered. */
  answered(call: AnsweredCall): void;
  /** An upstream was given a call, live or after review, and this came of it. */
  dispatched(dispatch: MeteredDispatch): void;
}

export interface AnsweredCall {
  readonly agentId: AgentId;
  readonly kind: CallAnswer["kind"];
  /** Why the call was refused; null when it was not. */
  readonly reasonId: ReasonId | null;
  readonly ref: CaseRef | null;
  /** Time that was the gateway's own: all of it but waiting for an upstream, or for the same call that was under way. */
  readonly governanceMs: number;
}

export interface MeteredDispatch {
  readonly ref: CaseRef;
  readonly upstream: string;
  readonly reasonId: ReasonId;
  /** From giving the call to the connection to its answer, or to giving it up. */
  readonly ms: number;
}

/** Times one call: what is not waiting for others is the gateway's own time. */
export interface CallTimer {
  /** Waits for work that is not the gateway's own. */
  await<Answer>(work: Promise<Answer>): Promise<Answer>;
  ownMs(): number;
}

export function startCallTimer(clock: Clock): CallTimer {
  const began = clock.monotonicMs();
  let waitedMs = 0;
  return {
    async await(work) {
      const from = clock.monotonicMs();
      try {
        return await work;
      } finally {
        waitedMs += clock.monotonicMs() - from;
      }
    },
    ownMs: () => clock.monotonicMs() - began - waitedMs,
  };
}
