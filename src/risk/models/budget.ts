import type { Clock } from "../../domain/clock.ts";

const MINUTE_MS = 60_000;

/** How many questions any one minute may hold. */
export interface Budget {
  /** Takes that many questions if they are still free. */
  take(questions: number): boolean;
}

export function createBudget(perMinute: number, clock: Pick<Clock, "monotonicMs">): Budget {
  let asked: number[] = [];
  return {
    take(questions) {
      const nowMs = clock.monotonicMs();
      asked = asked.filter((atMs) => nowMs - atMs < MINUTE_MS);
      if (asked.length + questions > perMinute) return false;
      for (let i = 0; i < questions; i++) asked.push(nowMs);
      return true;
    },
  };
}
