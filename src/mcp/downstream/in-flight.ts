/** Requests of agents that are being answered, so that a stop can wait for them. */
export interface InFlight {
  run<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /** Aborts when the gateway stops: who only waits for news should answer with what there is. */
  readonly stopping: AbortSignal;
  /** Says that the gateway stops; settles when nothing is in flight any more. */
  drain(): Promise<void>;
}

export function createInFlight(): InFlight {
  const stop = new AbortController();
  const { promise: idle, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const settle = (): void => {
    if (count === 0 && stop.signal.aborted) resolve();
  };
  return {
    async run(work) {
      count += 1;
      try {
        return await work();
      } finally {
        // Not before the answer was handed to the connection, which happens in the same turn.
        setImmediate(() => {
          count -= 1;
          settle();
        });
      }
    },
    stopping: stop.signal,
    drain() {
      stop.abort();
      settle();
      return idle;
    },
  };
}
