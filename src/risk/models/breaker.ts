import type { Clock } from "../../domain/clock.ts";

/** Failures in a row after which a model is left alone. Proposed. */
const FAILURES = 3;
/** How long it is left alone before it may prove itself again. Proposed. */
const LEFT_ALONE_MS = 30_000;
/** How long one right answer to the canary question is believed. Proposed. */
const PROVEN_FOR_MS = 10 * 60_000;

/** Whether a model is believed: it must answer the canary question right, and not fail too often. */
export interface Breaker {
  /** Why the model is left alone and nothing is asked; null when it is not. */
  open(): string | null;
  /**
   * Asks the canary question if the last right answer is too long ago. One question at a time, whoever waits for it.
   *
   * @returns what is wrong, null when the model answered right
   */
  prove(): Promise<string | null>;
  /** An answer that could be used, or not. */
  heard(usable: boolean): void;
}

/** @param askCanary asks the question whose answer is known; the problem, or null when the model got it right. Never throws. */
export function createBreaker(
  askCanary: () => Promise<string | null>,
  clock: Pick<Clock, "monotonicMs">,
): Breaker {
  let failures = 0;
  let left: { readonly why: string; readonly untilMs: number } | null = null;
  let provenUntilMs = Number.NEGATIVE_INFINITY;
  let proving: Promise<string | null> | undefined;

  function leaveAlone(why: string): void {
    failures = 0;
    left = { why, untilMs: clock.monotonicMs() + LEFT_ALONE_MS };
    provenUntilMs = Number.NEGATIVE_INFINITY;
  }

  async function askOnce(): Promise<string | null> {
    const problem = await askCanary();
    if (problem === null) provenUntilMs = clock.monotonicMs() + PROVEN_FOR_MS;
    else leaveAlone(problem);
    return problem;
  }

  return {
    open: () => (left !== null && clock.monotonicMs() < left.untilMs ? left.why : null),
    prove() {
      if (clock.monotonicMs() < provenUntilMs) return Promise.resolve(null);
      proving ??= askOnce().finally(() => {
        proving = undefined;
      });
      return proving;
    },
    heard(usable) {
      failures = usable ? 0 : failures + 1;
      if (failures >= FAILURES)
        leaveAlone("The model failed several times in a row and is left alone for a while.");
    },
  };
}
