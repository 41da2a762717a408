import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { CaseEvent } from "../../../src/http/contract.ts";
import { killSwitchesQuery } from "./queries.ts";

/** Lists are read again at most so often for each page of them that is on the screen, however much changes. */
const PAGE_AT_MOST_EVERY_MS = 400;
const RETRY_MS = 5_000;

/**
 * Follows the gateway's live stream while the caller is mounted. An event only says what to read again: nothing that is on
 * the screen comes from the stream itself.
 *
 * @returns whether the screen is up to date; null before the first connection
 */
export function useLive(): boolean | null {
  const queries = useQueryClient();
  const [isLive, setLive] = useState<boolean | null>(null);
  useEffect(() => follow(queries, setLive), [queries]);
  return isLive;
}

function follow(queries: QueryClient, onState: (isLive: boolean) => void): () => void {
  let source: EventSource;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const lists = throttled(
    () => void queries.invalidateQueries({ queryKey: ["cases"] }),
    () => PAGE_AT_MOST_EVERY_MS * (1 + pagesRead(queries)),
  );
  const open = () => {
    source = new EventSource("../api/v1/events");
    source.addEventListener("open", () => {
      onState(true);
      // What happened before the connection stood is not told again.
      void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
    });
    source.addEventListener("case", (event: MessageEvent<string>) => {
      const { ref } = JSON.parse(event.data) as CaseEvent;
      void queries.invalidateQueries({ queryKey: ["case", ref] });
      lists.call();
    });
    source.addEventListener("tool", () => {
      void queries.invalidateQueries({ queryKey: ["case"] });
      void queries.invalidateQueries({ queryKey: ["tools"] });
    });
    source.addEventListener("kill_switches", () => void queries.invalidateQueries(killSwitchesQuery));
    source.addEventListener("error", () => {
      onState(false);
      // The browser tries again by itself, but not after a refusal.
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(retry);
      retry = setTimeout(open, RETRY_MS);
      lists.call();
    });
  };
  open();
  return () => {
    clearTimeout(retry);
    lists.cancel();
    source.close();
  };
}

/** How many pages of lists a change lets be read again. */
function pagesRead(queries: QueryClient): number {
  const lists = queries.getQueriesData<{ readonly pages?: readonly unknown[] }>({
    queryKey: ["cases"],
    type: "active",
  });
  return lists.reduce((sum, [, data]) => sum + (data?.pages?.length ?? 1), 0);
}

/** The first call at once, the last of those that follow when the time is over. */
function throttled(action: () => void, everyMs: () => number): { call(): void; cancel(): void } {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let isAskedAgain = false;
  const run = () => {
    isAskedAgain = false;
    action();
    waiting = setTimeout(() => {
      waiting = undefined;
      if (isAskedAgain) run();
    }, everyMs());
  };
  return {
    call: () => {
      if (waiting === undefined) run();
      else isAskedAgain = true;
    },
    cancel: () => clearTimeout(waiting),
  };
}
