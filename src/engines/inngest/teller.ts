import type { Clock } from "../../domain/clock.ts";
import type { EngineRunStore, Telling } from "../../governance/engine-ports.ts";
import type { Events, OutgoingEvent } from "./events.ts";

export interface TellerDeps {
  readonly store: Pick<EngineRunStore, "takeTellings" | "putOffTellings">;
  readonly events: Events;
  readonly send: (events: readonly OutgoingEvent[]) => Promise<void>;
  readonly clock: Clock;
  readonly onError: (ref: null, error: unknown) => void;
  /** A run is started anew because nobody heard from the one before. */
  readonly onLostRun: () => void;
}

/** Sends what the outbox holds. */
export interface Teller {
  /** Sends what is due; resolves when that is done. Never throws. */
  tell(): Promise<void>;
  close(): void;
}

/** While Inngest cannot be reached, what could not be sent is put off by this. */
const PUT_OFF_MS = 5_000;
/** Events of one request, and so the most that a storm of decisions sends at a time. */
const BATCH = 500;

/** One batch after another, so that ten thousand decisions are a queue of requests and not a crowd of them. */
export function createTeller(deps: TellerDeps): Teller {
  const state = { closed: false, again: false };
  let telling: Promise<void> | undefined;

  async function tellAll(): Promise<void> {
    while (state.again && !state.closed) {
      state.again = false;
      let batch = await deps.store.takeTellings(BATCH);
      while (batch.length > 0) {
        if (!(await tellBatch(batch))) return;
        batch = state.closed ? [] : await deps.store.takeTellings(BATCH);
      }
    }
  }

  /** @returns false when Inngest could not be reached. */
  async function tellBatch(batch: readonly Telling[]): Promise<boolean> {
    try {
      await deps.send(batch.map((telling1) => deps.events.telling(telling1)));
      if (batch.some(({ run }) => run.generation > 1 && !run.begun)) deps.onLostRun();
      return true;
    } catch (error) {
      deps.onError(null, error);
      const refs = batch.map(({ run }) => run.ref);
      await deps.store.putOffTellings({ refs, untilMs: deps.clock.nowMs() + PUT_OFF_MS });
      return false;
    }
  }

  return {
    tell() {
      state.again = true;
      telling ??= tellAll()
        .catch((error: unknown) => deps.onError(null, error))
        .finally(() => {
          telling = undefined;
        });
      return telling;
    },
    close() {
      state.closed = true;
    },
  };
}
