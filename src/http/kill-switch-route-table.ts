import { ok, type RouteEntry, SIGNED_IN } from "./route-entry.ts";

const PATH = "/api/v1/kill-switches";

/** The routes of kill switches. */
export const KILL_SWITCH_ROUTES: readonly RouteEntry[] = [
  {
    method: "get",
    path: PATH,
    who: "person",
    summary: "What is stopped now, by whom and why.",
    answers: [ok("The kill switches that are engaged.", "KillSwitchList")],
    refusals: SIGNED_IN,
  },
  {
    method: "post",
    path: PATH,
    who: "admin",
    summary: "Stops everything, an upstream, a tool or an agent, at once.",
    request: "KillSwitchRequest",
    answers: [ok("Engaged; what is engaged now.", "KillSwitchList")],
    refusals: [...SIGNED_IN, "request.invalid", "resource.not_found"],
  },
  {
    method: "post",
    path: `${PATH}/release`,
    who: "admin",
    summary: "Lets it go on, deadlines moved by the time they were frozen.",
    request: "KillSwitchRequest",
    answers: [ok("Released; what is engaged now.", "KillSwitchList")],
    refusals: [...SIGNED_IN, "request.invalid", "resource.not_found"],
  },
];
