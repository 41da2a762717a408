import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "./domain/clock.ts";
import type { Log } from "./telemetry/log.ts";

const EVERY_MS = 24 * 60 * 60_000;
/** How often the clock is looked at: a timer of a whole day would sleep through a suspended machine. */
const LOOK_EVERY_MS = 10 * 60_000;

export interface HousekeepingDeps {
  /** The day's work; `signal` asks it to stop soon. */
  readonly work: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Housekeeping {
  /** Does the day's work now, in the background, and then once a day. */
  start(): void;
  /** Stops, and waits for the work under way. */
  close(): Promise<void>;
}

/** One timer for everything that is done once a day. */
export function createHousekeeping(deps: HousekeepingDeps): Housekeeping {
  const stop = new AbortController();
  let round: Promise<void> = Promise.resolve();

  async function daily(): Promise<void> {
    let nextAtMs = Number.NEGATIVE_INFINITY;
    while (!stop.signal.aborted) {
      if (deps.clock.nowMs() >= nextAtMs) {
        nextAtMs = deps.clock.nowMs() + EVERY_MS;
        await deps.work(stop.signal).catch((error: unknown) => {
          deps.log.error({ error }, "The daily housekeeping failed; it will be tried again tomorrow.");
        });
      }
      await sleep(LOOK_EVERY_MS, undefined, { ref: false, signal: stop.signal }).catch(() => undefined);
    }
  }

  return {
    start() {
      round = daily();
    },
    async close() {
      stop.abort();
      await round;
    },
  };
}
