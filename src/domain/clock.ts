/** Time, injected once. `nowMs` is the wall clock (epoch milliseconds); `monotonicMs` never goes back and is used for dispatch deadlines. */
export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
