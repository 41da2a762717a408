import type { Clock } from "../../domain/clock.ts";

/** Failed sign-ins one source may make within {@link WINDOW_MS}. */
export const MAX_FAILURES = 10;
export const WINDOW_MS = 60_000;

const MAX_SOURCES = 10_000;

/** Slows down guessing of tokens. Forgets the source that failed longest ago when it has too many to remember. */
export interface SignInThrottle {
  /** How long this source must wait before it may try again; 0 when it may try now. */
  waitMs(source: string): number;
  failed(source: string): void;
}

export function createSignInThrottle(deps: { readonly clock: Clock }): SignInThrottle {
  const sources = new Map<string, { failures: number; readonly sinceMs: number }>();

  function current(source: string) {
    const entry = sources.get(source);
    if (entry === undefined || deps.clock.nowMs() - entry.sinceMs < WINDOW_MS) return entry;
    sources.delete(source);
    return undefined;
  }

  return {
    waitMs: (source) => {
      const entry = current(source);
      if (entry === undefined || entry.failures < MAX_FAILURES) return 0;
      return entry.sinceMs + WINDOW_MS - deps.clock.nowMs();
    },
    failed: (source) => {
      const entry = current(source);
      if (entry !== undefined) {
        entry.failures += 1;
        return;
      }
      const oldest = sources.size >= MAX_SOURCES ? sources.keys().next().value : undefined;
      if (oldest !== undefined) sources.delete(oldest);
      sources.set(source, { failures: 1, sinceMs: deps.clock.nowMs() });
    },
  };
}
