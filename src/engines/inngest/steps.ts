import { type Case, isTerminal } from "../../domain/case.ts";
import type { Clock } from "../../domain/clock.ts";
import type { CaseRef } from "../../domain/ids.ts";
import type { EngineRunStore } from "../../governance/engine-ports.ts";
import type { CaseStore } from "../../governance/ports.ts";
import type { Events, OutgoingEvent } from "./events.ts";

/** Which run of which case a step belongs to. */
export interface RunId {
  readonly ref: CaseRef;
  readonly generation: number;
}

/** What a step leaves in the dashboard, and what the run does next. */
export type CaseView = {
  readonly event_id: CaseRef;
  /** `upstream/tool`. */
  readonly tool: string;
  readonly state: string;
  readonly risk_score: number | null;
  readonly classification: string | null;
  readonly reason: string;
  readonly reviewer: string | null;
  readonly next: "wait" | "execute" | "end";
  /** Whole seconds until the case is due; 0 where nothing is waited for. */
  readonly wait_s: number;
};

export interface StepsDeps {
  readonly store: Pick<CaseStore, "getCase"> & Pick<EngineRunStore, "runSeen" | "runEnded">;
  readonly drive: (ref: CaseRef) => Promise<void>;
  readonly events: Events;
  readonly send: (events: readonly OutgoingEvent[]) => Promise<void>;
  readonly clock: Clock;
}

export type Steps = ReturnType<typeof createSteps>;

/** A case that is overdue although it was just driven (a kill switch holds it, another gateway is ahead) is looked at again after this. */
const RECHECK_S = 15;
/** How long after the engine gave a run up the next one is started. */
const RESTART_AFTER_MS = 60_000;

/**
 * What the steps of a run do. Each reads the case anew and calls the use cases, which are safe to repeat; nothing that the
 * engine or an event says is believed.
 */
export function createSteps({ store, drive, events, send, clock }: StepsDeps) {
  function viewOf(current: Case, justDriven: boolean): CaseView {
    const { ref, state } = current;
    const dueInMs = (current.dueAtMs ?? clock.nowMs()) - clock.nowMs();
    const isOver = isTerminal(state) || state === "UNKNOWN";
    const isDue = dueInMs <= 0 && !justDriven;
    return {
      event_id: ref,
      tool: `${current.upstream}/${current.tool}`,
      state,
      risk_score: current.riskScore,
      classification: current.classification,
      reason: current.reasonId,
      reviewer: events.reviewer(current),
      next: isOver ? "end" : isDue ? "execute" : "wait",
      wait_s: isOver || isDue ? 0 : dueInMs > 0 ? Math.ceil(dueInMs / 1_000) : RECHECK_S,
    };
  }

  /** Says that the run is there; one whose place was taken ends. */
  async function look({ ref, generation }: RunId, justDriven: boolean): Promise<CaseView> {
    const current = await caseOf(ref);
    const isCurrent = await store.runSeen({ ref, generation, revision: current.revision });
    const view = viewOf(current, justDriven);
    return isCurrent ? view : { ...view, next: "end", wait_s: 0, reason: "superseded by a later run" };
  }

  async function caseOf(ref: CaseRef): Promise<Case> {
    const current = await store.getCase(ref);
    if (current === null) throw new Error("There is no such case.");
    return current;
  }

  return {
    /** @returns null for a trigger that names no case of ours */
    async assess(run: RunId): Promise<CaseView | null> {
      const current = await store.getCase(run.ref);
      if (current === null) return null;
      const { state } = current;
      if (state === "ASSESSING") await drive(run.ref);
      return look(run, state === "ASSESSING");
    },

    /**
     * Planned beside the wait, so that the wait is there before anybody is asked. What was decided before that, the run is
     * woken for now.
     */
    async openReview({ ref }: RunId): Promise<{ readonly event_id: CaseRef; readonly asked: boolean }> {
      const current = await caseOf(ref);
      const asked = current.state === "AWAITING_REVIEW";
      await send([asked ? events.review(current) : events.wake(current)]);
      return { event_id: ref, asked };
    },

    /** @returns null when the case is not there (any more) */
    async execute(run: RunId): Promise<CaseView | null> {
      if ((await store.getCase(run.ref)) === null) return null;
      const before = await look(run, false);
      if (before.next === "end") return before;
      const isParked = before.state === "AWAITING_REVIEW" && before.next === "wait";
      if (!isParked) await drive(run.ref);
      return look(run, true);
    },

    async finalize(run: RunId): Promise<CaseView> {
      await store.runEnded({ ...run, restartAfterMs: null });
      return viewOf(await caseOf(run.ref), false);
    },

    /** The engine gave the run up, or it has grown too long: another one goes on. */
    async handOver(run: RunId): Promise<{ readonly event_id: CaseRef }> {
      await store.runEnded({ ...run, restartAfterMs: RESTART_AFTER_MS });
      return { event_id: run.ref };
    },
  };
}
