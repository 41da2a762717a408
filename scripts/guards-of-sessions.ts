import type { Guard } from "./guards-list.ts";

/** Guards of sessions, and of what upstreams ask in them. */
export const GUARDS_OF_SESSIONS: readonly Guard[] = [
  {
    guard: "another agent's session does not exist",
    file: "src/mcp/downstream/http-sessions.ts",
    without: "known.agentId === agentId ? known : null",
    instead: "known",
    test: "test/scenario/sessions.test.ts",
  },
  {
    guard: "another agent's session id cannot be taken up",
    file: "src/mcp/downstream/http-sessions.ts",
    without: "!this.#ids.isOf(agentId, id)",
    instead: "false",
    test: "test/scenario/sessions.test.ts",
  },
  {
    guard: "an upstream asks only for what the client declared",
    file: "src/mcp/upstream/client-messages.ts",
    without: "if (!isObject(declared)) return `The client did not declare the capability ${capability}.`;",
    instead: "",
    test: "test/scenario/live-requests.test.ts",
  },
  {
    guard: "an answer to an upstream's question is of the call it was asked of",
    file: "src/governance/request-state.ts",
    without: "JSON.stringify([agentId, upstream, tool, argumentsSha256])",
    instead: "String(typeof [agentId, upstream, tool, argumentsSha256])",
    test: "src/governance/request-state.test.ts",
  },
];
