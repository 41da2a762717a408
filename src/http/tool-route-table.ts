import { ok, type RouteEntry, SIGNED_IN } from "./route-entry.ts";

const TOOL_PATH = "/api/v1/tools/{upstream}/{name}";

/** The routes of tools. */
export const TOOL_ROUTES: readonly RouteEntry[] = [
  {
    method: "get",
    path: "/api/v1/tools",
    who: "person",
    summary: "Tools of all upstreams: state, what they do, and what to look at.",
    answers: [ok("The tools.", "ToolList")],
    refusals: SIGNED_IN,
  },
  {
    method: "get",
    path: TOOL_PATH,
    who: "person",
    summary: "One tool with its accepted and its current definition, and what differs.",
    answers: [ok("The tool.", "ToolDetail")],
    refusals: [...SIGNED_IN, "resource.not_found"],
  },
  {
    method: "post",
    path: `${TOOL_PATH}/accept`,
    who: "person",
    summary: "Accepts the definition that was shown, and confirms what the tool does. For admins.",
    request: "AcceptToolRequest",
    answers: [ok("Accepted; the same word twice is answered as the first time.", "ToolResponse")],
    refusals: [...SIGNED_IN, "request.invalid", "resource.not_found", "resource.conflict"],
  },
];
