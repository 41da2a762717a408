import { CASE_ROUTES, EDITING } from "./case-route-table.ts";
import { INNGEST_ROUTES } from "./inngest-route-table.ts";
import { KILL_SWITCH_ROUTES } from "./kill-switch-route-table.ts";
import { PEOPLE_ROUTES } from "./people-route-table.ts";
import { ok, type RouteEntry, SIGNED_IN } from "./route-entry.ts";
import { TOOL_ROUTES } from "./tool-route-table.ts";
import { UPSTREAM_ROUTES } from "./upstream-route-table.ts";

const JSON_RPC = "JSON-RPC message of MCP; errors are JSON-RPC, too";
const EVENT_STREAM = "text/event-stream";

/** Every route there is; a test holds it against the application's own list. */
export const ROUTES: readonly RouteEntry[] = [
  {
    method: "get",
    path: "/",
    who: "anyone",
    summary: "Who answers here. A browser is sent to the console.",
    answers: [ok("The gateway runs.", "Status"), { status: 302, description: "To the console." }],
    refusals: [],
  },
  {
    method: "get",
    path: "/livez",
    who: "anyone",
    summary: "The process answers.",
    answers: [ok("It does.", "Health")],
    refusals: [],
  },
  {
    method: "get",
    path: "/readyz",
    who: "anyone",
    summary: "The gateway takes calls, and if not, why. Upstreams that are down are no reason.",
    answers: [
      ok("It does.", "Readiness"),
      { status: 503, description: "It does not; `reasons` says why.", schema: "Readiness" },
    ],
    refusals: [],
  },
  {
    method: "get",
    path: "/metrics",
    who: "anyone",
    summary:
      "Metrics in the Prometheus text format: for the token of `metrics.token` and for admins and auditors; open where only this machine can ask.",
    answers: [{ status: 200, description: "The metrics.", mediaType: "text/plain" }],
    refusals: ["auth.missing", "store.failed"],
  },
  ...["", "/mcp"].map(
    (path): RouteEntry => ({
      method: "get",
      path: `/.well-known/oauth-protected-resource${path}`,
      who: "anyone",
      summary: "Where agents get a token, when an issuer is configured (RFC 9728).",
      answers: [ok("The metadata.", "ResourceMetadata")],
      refusals: ["resource.not_found"],
    }),
  ),
  {
    method: "post",
    path: "/webhook/approval",
    who: "decider",
    summary: "Records a person's decision, by their own token or passed on by a portal. Takes no cookie.",
    request: "ApprovalRequest",
    answers: [ok("Recorded; the same decision twice is answered as the first time.", "ApprovalResponse")],
    refusals: EDITING,
  },
  ...INNGEST_ROUTES,
  ...PEOPLE_ROUTES,
  ...CASE_ROUTES,
  ...TOOL_ROUTES,
  ...UPSTREAM_ROUTES,
  ...KILL_SWITCH_ROUTES,
  {
    method: "get",
    path: "/api/v1/events",
    who: "person",
    summary:
      "Live `case`, `tool` and `kill_switches` events: that something changed; what, the reader fetches.",
    answers: [
      {
        status: 200,
        description: "Server-sent events.",
        mediaType: EVENT_STREAM,
        schema: ["CaseEvent", "ToolEvent", "KillSwitchEvent"],
      },
    ],
    refusals: SIGNED_IN,
  },
  {
    method: "get",
    path: "/console",
    who: "anyone",
    summary: "The reviewers' web page.",
    answers: [{ status: 302, description: "To /console/." }],
    refusals: [],
  },
  {
    method: "get",
    path: "/console/{file}",
    who: "anyone",
    summary: "A file of the reviewers' web page.",
    answers: [
      { status: 200, description: "The file.", mediaType: "*/*" },
      { status: 304, description: "The file did not change." },
    ],
    refusals: ["resource.not_found"],
  },
  ...(["get", "post", "delete"] as const).map(
    (method): RouteEntry => ({
      method,
      path: "/mcp",
      who: "agent",
      summary: `MCP over Streamable HTTP. ${JSON_RPC}.`,
      answers: [{ status: 200, description: JSON_RPC, mediaType: "application/json" }],
      refusals: [...SIGNED_IN, "request.invalid"],
    }),
  ),
  {
    method: "get",
    path: "/mcp/sse",
    who: "agent",
    summary: `Opens an event stream of MCP's older transport. ${JSON_RPC}.`,
    answers: [{ status: 200, description: "Server-sent events.", mediaType: EVENT_STREAM }],
    refusals: SIGNED_IN,
  },
  {
    method: "post",
    path: "/mcp/messages",
    who: "agent",
    summary: `Takes a message of MCP's older transport. ${JSON_RPC}.`,
    answers: [{ status: 202, description: "Taken; the answer comes over the event stream." }],
    refusals: [...SIGNED_IN, "request.invalid", "resource.not_found"],
  },
];
