import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../domain/clock.ts";
import type { Erased, ErasureScope, ErasureStore } from "./ports.ts";

/** How long texts are kept after their case ended; null for ever. */
export interface Retention {
  /** Arguments, `_meta`, assessments, reasons and evidence, and whatever is left of results. */
  readonly textsMs: number | null;
  /** Answers of runs after review, which wait for their agent. */
  readonly resultsMs: number | null;
}

/** Cases of one commit: few enough that no call waits noticeably for it. */
const BATCH = 50;
/** Between two commits, so that calls get their turn on a slow disk. */
const PAUSE_MS = 20;

export interface EraseExpiredDeps {
  readonly store: ErasureStore;
  readonly clock: Clock;
  /** Stops after the batch under way; the rest is erased the next time. */
  readonly signal?: AbortSignal;
}

/** Erases every text whose time is over; hashes, states and the ledger stay. */
export async function eraseExpired(
  retention: Retention,
  deps: EraseExpiredDeps,
): Promise<Readonly<Record<ErasureScope, Erased>>> {
  return {
    results: await eraseAll("results", retention.resultsMs, deps),
    texts: await eraseAll("texts", retention.textsMs, deps),
  };
}

/** How many cases {@link eraseExpired} would touch now. */
export async function countExpired(
  retention: Retention,
  deps: EraseExpiredDeps,
): Promise<Readonly<Record<ErasureScope, number>>> {
  const count = (scope: ErasureScope, keptMs: number | null) =>
    keptMs === null ? 0 : deps.store.countExpired({ scope, endedBeforeMs: deps.clock.nowMs() - keptMs });
  return {
    results: await count("results", retention.resultsMs),
    texts: await count("texts", retention.textsMs),
  };
}

async function eraseAll(scope: ErasureScope, keptMs: number | null, deps: EraseExpiredDeps): Promise<Erased> {
  let cases = 0;
  let texts = 0;
  if (keptMs === null) return { cases, texts };
  const endedBeforeMs = deps.clock.nowMs() - keptMs;
  while (deps.signal?.aborted !== true) {
    const erased = await deps.store.eraseExpired({ scope, endedBeforeMs, limit: BATCH });
    cases += erased.cases;
    texts += erased.texts;
    if (erased.cases < BATCH) break;
    await sleep(PAUSE_MS);
  }
  return { cases, texts };
}
