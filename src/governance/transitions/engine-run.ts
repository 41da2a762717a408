import type { Case, CaseState } from "../../domain/case.ts";
import type { EngineRun } from "../engine-ports.ts";

/** States in which an engine has something to do or to wait for. A person who settles an unknown outcome wakes it again. */
const NEEDS_RUN: ReadonlySet<CaseState> = new Set([
  "ASSESSING",
  "AWAITING_REVIEW",
  "AUTHORIZED",
  "EXECUTING",
]);

/** 15 s, 30 s, 1 min, 2 min, 4 min: an engine that is behind is not told faster than it can hear. */
const FIRST_RETRY_MS = 15_000;
/** A run that showed nothing for so many tellings (about eight minutes) is taken for lost, and the next generation is started. */
const TELLINGS_PER_RUN = 5;
/** A run whose case has ended has nothing to do but to end itself; it also does so at its own time-out. */
const TELLINGS_OF_ENDED = 3;

/** What becomes of the row: the next one, or none. */
export type RunChange = { readonly next: EngineRun } | { readonly next: null } | null;

type Subject = Pick<Case, "ref" | "state" | "revision">;

/** @returns null when there is nothing to note. */
export function planNote(
  run: EngineRun | null,
  current: Subject | null,
  { overdue, nowMs }: { readonly overdue: boolean; readonly nowMs: number },
): EngineRun | null {
  if (current === null) return null;
  const { ref, revision } = current;
  if (run === null) {
    if (!NEEDS_RUN.has(current.state)) return null;
    return { ref, generation: 1, begun: false, tellings: 0, revision, dueAtMs: nowMs };
  }
  const isNews = run.revision < revision;
  const isForgotten = overdue && run.dueAtMs === null;
  return isNews || isForgotten ? { ...run, revision, tellings: 0, dueAtMs: nowMs } : null;
}

/** What a due telling becomes: something to tell, and the row after it; `next: null` removes the row. */
export function planTelling(
  run: EngineRun,
  current: Subject | null,
  nowMs: number,
): { readonly tell: boolean; readonly next: EngineRun | null } {
  if (current === null) return { tell: false, next: null };
  if (current.state === "UNKNOWN" && !run.begun) return { tell: false, next: { ...run, dueAtMs: null } };
  if (!NEEDS_RUN.has(current.state)) {
    if (!run.begun || run.tellings >= TELLINGS_OF_ENDED) {
      // A generation that was used is remembered while the case can come back.
      const next = current.state === "UNKNOWN" ? nextGeneration(run, null) : null;
      return { tell: false, next };
    }
  } else if (run.tellings >= TELLINGS_PER_RUN) {
    return { tell: true, next: told(nextGeneration(run, nowMs), nowMs) };
  }
  return { tell: true, next: told(run, nowMs) };
}

/** @returns null when a later generation has taken the run's place. */
export function planSeen(
  run: EngineRun | null,
  seen: Pick<EngineRun, "ref" | "generation" | "revision">,
): EngineRun | null {
  if (run === null) return { ...seen, begun: true, tellings: 0, dueAtMs: null };
  if (run.generation > seen.generation) return null;
  const knows = seen.revision >= run.revision;
  return {
    ...run,
    generation: seen.generation,
    begun: true,
    tellings: 0,
    dueAtMs: knows ? null : run.dueAtMs,
  };
}

export function planEnded(
  run: EngineRun | null,
  current: Subject | null,
  ended: { readonly generation: number; readonly restartAtMs: number | null },
): RunChange {
  if (run === null || run.generation !== ended.generation) return null;
  if (current === null) return { next: null };
  if (NEEDS_RUN.has(current.state)) return { next: nextGeneration(run, ended.restartAtMs) };
  return { next: current.state === "UNKNOWN" ? nextGeneration(run, null) : null };
}

function nextGeneration(run: EngineRun, dueAtMs: number | null): EngineRun {
  return { ...run, generation: run.generation + 1, begun: false, tellings: 0, dueAtMs };
}

function told(run: EngineRun, nowMs: number): EngineRun {
  const retryMs = FIRST_RETRY_MS * 2 ** Math.min(run.tellings, TELLINGS_PER_RUN - 1);
  return { ...run, tellings: run.tellings + 1, dueAtMs: nowMs + retryMs };
}
