import { type Case, isTerminal } from "../domain/case.ts";
import type { CaseRef } from "../domain/ids.ts";
import type { CaseStore } from "./ports.ts";

export interface WatchParams {
  readonly ref: CaseRef;
  /** How long to wait at most. */
  readonly waitMs: number;
  /** True when the wait is over. */
  readonly until: (current: Case) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until a case is as wanted, the time is over or the signal aborts, and gives the case as it then is.
 * Short waits of a live caller only: nothing here survives the process, and nothing needs to.
 */
export async function watchCase(
  params: WatchParams,
  store: Pick<CaseStore, "getCase" | "onChange">,
): Promise<Case | null> {
  let wakeUp: () => void = () => undefined;
  const stop = store.onChange((change) => {
    if (change.ref === params.ref) wakeUp();
  });
  const deadline = AbortSignal.timeout(Math.max(0, params.waitMs));
  const signal = params.signal === undefined ? deadline : AbortSignal.any([deadline, params.signal]);
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wakeUp = resolve;
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      const current = await store.getCase(params.ref);
      if (current === null || params.until(current) || signal.aborted) return current;
      await changed;
    }
  } finally {
    stop();
  }
}

/** Nothing that machines do will change the case soon: it ended, or it waits for a human. */
export function isSettled(current: Case): boolean {
  return isTerminal(current.state) || current.state === "AWAITING_REVIEW" || current.state === "UNKNOWN";
}
