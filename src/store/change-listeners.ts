import type { ChangeOrigin } from "../governance/ports.ts";

/** Listeners to committed changes. */
export interface ChangeListeners<Change> {
  readonly listen: (listener: (change: Change, origin: ChangeOrigin) => void) => () => void;
  /** Tells every listener every change in order. A listener that throws is reported and harms nobody else. */
  tell(changes: readonly Change[], origin: ChangeOrigin): void;
}

export function createChangeListeners<Change>(onError: (error: unknown) => void): ChangeListeners<Change> {
  const listeners = new Set<{ readonly call: (change: Change, origin: ChangeOrigin) => void }>();
  return {
    listen(listener) {
      const entry = { call: listener };
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
    tell(changes, origin) {
      for (const change of changes) {
        for (const listener of listeners) {
          try {
            listener.call(change, origin);
          } catch (error) {
            onError(error);
          }
        }
      }
    },
  };
}
