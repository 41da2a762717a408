import type { CaseChanged } from "../governance/ports.ts";

/** Listeners to committed changes. */
export interface ChangeListeners {
  readonly listen: (listener: (change: CaseChanged) => void) => () => void;
  /** Tells every listener every change in order. A listener that throws is reported and harms nobody else. */
  tell(changes: readonly CaseChanged[]): void;
}

export function createChangeListeners(onError: (error: unknown) => void): ChangeListeners {
  const listeners = new Set<{ readonly call: (change: CaseChanged) => void }>();
  return {
    listen(listener) {
      const entry = { call: listener };
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
    tell(changes) {
      for (const change of changes) {
        for (const listener of listeners) {
          try {
            listener.call(change);
          } catch (error) {
            onError(error);
          }
        }
      }
    },
  };
}
