/** Listeners to committed changes. */
export interface ChangeListeners<Change> {
  readonly listen: (listener: (change: Change) => void) => () => void;
  /** Tells every listener every change in order. A listener that throws is reported and harms nobody else. */
  tell(changes: readonly Change[]): void;
}

export function createChangeListeners<Change>(onError: (error: unknown) => void): ChangeListeners<Change> {
  const listeners = new Set<{ readonly call: (change: Change) => void }>();
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
