/** The time in which a live call is held for an answer. It either ends, or is taken for the run of the call. */
export interface Hold {
  /** Resolves when the time is over or the caller is gone, and never once the hold was taken. */
  readonly over: Promise<void>;
  /** Keeps the caller for the run, however long that takes; false when it was let go before. */
  take(): boolean;
  /** Lets go of the timer once there is an answer, so that no ended call keeps the process alive. */
  done(): void;
}

export function createHold(ms: number, signal: AbortSignal | undefined): Hold {
  const over = Promise.withResolvers<void>();
  let state: "held" | "over" | "taken" = "held";
  const end = () => {
    if (state === "held") state = "over";
    if (state === "over") over.resolve();
    forget();
  };
  const timer = setTimeout(end, ms);
  const forget = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  };
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted === true || ms === 0) end();
  return {
    over: over.promise,
    take() {
      if (state === "held") state = "taken";
      forget();
      return state === "taken";
    },
    done: forget,
  };
}
