const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/**
 * How long to wait before the next attempt, in milliseconds: doubles with each failure, and is
 * spread over its upper half so that connections that broke together do not come back together.
 *
 * @param failures failures in a row, at least 1
 * @param random in [0, 1)
 */
export function backoffMs(failures: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(full / 2 + (full / 2) * random);
}

/** Waits; ends early, without error, when the signal is aborted. */
export type Delay = (ms: number, signal: AbortSignal) => Promise<void>;

export const realDelay: Delay = async (ms, signal) => {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  // Waiting for an upstream is no reason to keep the process alive.
  timer.unref();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
};
