import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type {
  CaseDetailBody,
  CaseListBody,
  HistoryBody,
  KillSwitchListBody,
  SessionBody,
  TimelineBody,
} from "../../../src/http/contract.ts";
import { isSignedOut, request } from "./request.ts";

/**
 * Everything the screens read, one entry a resource. What changes is never put in here: the live stream and whoever
 * changes something invalidate these, and they are read again.
 */

/** null: nobody is signed in. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<SessionBody | null> => {
    try {
      return await request<SessionBody>({ path: "session", signal });
    } catch (error) {
      if (isSignedOut(error)) return null;
      throw error;
    }
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export const killSwitchesQuery = queryOptions({
  queryKey: ["kill-switches"],
  queryFn: ({ signal }) => request<KillSwitchListBody>({ path: "kill-switches", signal }),
});

/** Query of `GET /cases`, without the page. */
export type CaseListQuery = Readonly<Record<string, string>>;

const PAGE_SIZE = 100;

export const caseListQuery = (query: CaseListQuery) =>
  infiniteQueryOptions({
    queryKey: ["cases", query],
    queryFn: ({ pageParam, signal }) => {
      const search = new URLSearchParams({ ...query, limit: String(PAGE_SIZE) });
      if (pageParam !== "") search.set("after", pageParam);
      return request<CaseListBody>({ path: `cases?${search}`, signal });
    },
    initialPageParam: "",
    getNextPageParam: (page: CaseListBody) => page.next,
  });

/** How many cases the person has taken. */
export const mineQuery = (personId: string) =>
  queryOptions({
    queryKey: ["cases", "mine", personId],
    queryFn: ({ signal }) => {
      const search = new URLSearchParams({
        state: "AWAITING_REVIEW,UNKNOWN",
        taken_by: personId,
        limit: "500",
      });
      return request<CaseListBody>({ path: `cases?${search}`, signal });
    },
  });

export const caseQuery = (ref: string) =>
  queryOptions({
    queryKey: ["case", ref],
    queryFn: ({ signal }) => request<CaseDetailBody>({ path: `cases/${ref}`, signal }),
  });

export const historyQuery = (ref: string) =>
  queryOptions({
    queryKey: ["case", ref, "history"],
    queryFn: ({ signal }) => request<HistoryBody>({ path: `cases/${ref}/history`, signal }),
    staleTime: 60_000,
  });

export const timelineQuery = (ref: string) =>
  queryOptions({
    queryKey: ["case", ref, "events"],
    queryFn: ({ signal }) => request<TimelineBody>({ path: `cases/${ref}/events?limit=500`, signal }),
  });
