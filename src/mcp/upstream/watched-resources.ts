import type { ResourceWatch } from "./resource-watch.ts";

/** What agents want to hear of one upstream, over all its connections: one subscription serves everybody. */
export interface WatchedResources {
  /** @returns a function that ends this watch; null when the upstream does not take it */
  add(uri: string): Promise<(() => void) | null>;
  /** Subscribes anew on another connection, and says of every resource that it changed: nobody heard what happened meanwhile. */
  moveTo(watch: ResourceWatch | undefined): Promise<void>;
  /** The connection is gone; what is watched is kept for the next one. */
  lost(): void;
}

export function createWatchedResources(onUpdated: (uri: string) => void): WatchedResources {
  const counts = new Map<string, number>();
  let current: ResourceWatch | undefined;

  const end = (uri: string): void => {
    const left = (counts.get(uri) ?? 0) - 1;
    if (left > 0) counts.set(uri, left);
    else if (counts.delete(uri)) void current?.remove(uri);
  };

  return {
    add: async (uri) => {
      if (current === undefined) return null;
      const others = counts.get(uri) ?? 0;
      counts.set(uri, others + 1);
      if (others === 0 && !(await current.add(uri))) {
        end(uri);
        return null;
      }
      let ended = false;
      return () => {
        if (!ended) end(uri);
        ended = true;
      };
    },
    moveTo: async (watch) => {
      current = watch;
      for (const uri of counts.keys()) {
        await watch?.add(uri);
        onUpdated(uri);
      }
    },
    lost: () => {
      current = undefined;
    },
  };
}
