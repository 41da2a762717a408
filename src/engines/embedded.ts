import type { CaseState } from "../domain/case.ts";
import type { Clock } from "../domain/clock.ts";
import type { CaseRef, WriterId } from "../domain/ids.ts";
import type { CaseStore, Engine } from "../governance/ports.ts";

export interface EmbeddedEngineDeps {
  readonly store: Pick<CaseStore, "dueCases" | "listCases" | "nextDueAtMs" | "onChange">;
  /** Does what a case needs now. */
  readonly drive: (ref: CaseRef) => Promise<void>;
  readonly writer: WriterId;
  readonly clock: Clock;
  readonly onError: (ref: CaseRef | null, error: unknown) => void;
  /** Cases driven at a time. */
  readonly concurrency?: number;
}

/** The embedded engine, with what its contract suite needs to run without timers. */
export interface EmbeddedEngine extends Engine {
  /** Wakes every case that is due now. */
  tick(): Promise<void>;
  /** Resolves when nothing is being driven. */
  idle(): Promise<void>;
}

/** Longest sleep between sweeps: bounds how late a deadline fires after a jump of the clock. */
const MAX_SLEEP_MS = 30_000;
/** What is overdue was woken; this long it is left alone before the next look. */
const RECHECK_MS = 1_000;
const SWEEP_LIMIT = 200;
/** Cases of a dead process that are assessed again at once; more than these wait until they are due. */
const ORPHANS_LIMIT = 10_000;
const SETS_A_DEADLINE: ReadonlySet<CaseState> = new Set(["ASSESSING", "AWAITING_REVIEW", "AUTHORIZED"]);

/**
 * Drives cases in this process, over the same tables. A parked case costs a row: the only timer is the
 * one to the earliest due time, and what happens is decided by the row, not by the timer.
 */
export function createEmbeddedEngine(deps: EmbeddedEngineDeps): EmbeddedEngine {
  const running = new Map<CaseRef, Promise<void>>();
  const waiting = new Set<CaseRef>();
  const limit = deps.concurrency ?? 16;
  let timer: NodeJS.Timeout | undefined;
  let wakesAtMs = Number.POSITIVE_INFINITY;
  let closed = false;
  let stopListening: () => void = () => undefined;

  function pump(): void {
    for (const ref of waiting) {
      if (closed || running.size >= limit) return;
      // A case that is being driven stays in line: it is looked at once more when that is done.
      if (running.has(ref)) continue;
      waiting.delete(ref);
      running.set(ref, driveOne(ref));
    }
  }

  async function driveOne(ref: CaseRef): Promise<void> {
    try {
      await deps.drive(ref);
    } catch (error) {
      deps.onError(ref, error);
    } finally {
      running.delete(ref);
      pump();
    }
  }

  function wake(ref: CaseRef): void {
    if (closed) return;
    waiting.add(ref);
    pump();
  }

  async function tick(): Promise<void> {
    const due = await deps.store.dueCases({ writer: deps.writer, limit: SWEEP_LIMIT });
    for (const due1 of due) wake(due1.ref);
  }

  async function sweepAndSleep(): Promise<void> {
    if (closed) return;
    let sleepMs = MAX_SLEEP_MS;
    try {
      await tick();
      const nextDueAtMs = await deps.store.nextDueAtMs();
      if (nextDueAtMs !== null) {
        sleepMs = Math.min(Math.max(nextDueAtMs - deps.clock.nowMs(), RECHECK_MS), MAX_SLEEP_MS);
      }
    } catch (error) {
      deps.onError(null, error);
    }
    wakesAtMs = Number.POSITIVE_INFINITY;
    sleepAtMost(sleepMs);
  }

  /** Only ever shortens the sleep: a stream of changes must not push the sweep away. */
  function sleepAtMost(ms: number): void {
    const atMs = deps.clock.monotonicMs() + ms;
    if (closed || atMs >= wakesAtMs) return;
    wakesAtMs = atMs;
    clearTimeout(timer);
    timer = setTimeout(() => void sweepAndSleep(), ms);
    timer.unref();
  }

  return {
    async start() {
      stopListening = deps.store.onChange((change) => {
        // A new deadline may be nearer than the one we sleep towards.
        if (SETS_A_DEADLINE.has(change.to)) sleepAtMost(RECHECK_MS);
      });
      for (const ref of await orphans(deps.store)) wake(ref);
      await sweepAndSleep();
    },
    wake,
    tick,
    async idle() {
      while (running.size > 0 || waiting.size > 0) await Promise.all(running.values());
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      stopListening();
      waiting.clear();
      await Promise.all(running.values());
    },
  };
}

/** Cases that an earlier process was assessing; what this one assesses itself, it does not assess twice. */
async function orphans(store: Pick<CaseStore, "listCases">): Promise<readonly CaseRef[]> {
  const found = await store.listCases({ states: ["ASSESSING"], limit: ORPHANS_LIMIT });
  return found.map((orphan) => orphan.ref);
}
