import { ok, type RouteEntry, SIGNED_IN } from "./route-entry.ts";

/** The routes of upstreams. */
export const UPSTREAM_ROUTES: readonly RouteEntry[] = [
  {
    method: "get",
    path: "/api/v1/upstreams",
    who: "person",
    summary: "Every upstream: whether it is up, since when and why not, and how it is connected.",
    answers: [ok("The upstreams, in order of configuration.", "UpstreamList")],
    refusals: SIGNED_IN,
  },
];
