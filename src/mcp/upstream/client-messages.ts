import { type Client, type ClientCapabilities, ProtocolError } from "@modelcontextprotocol/client";
import type { ClientMessage, LiveClient } from "../../governance/live-client.ts";
import type { DispatchOutcome } from "../../governance/ports.ts";
import { isObject } from "./raw-transport.ts";

/** Requests of an upstream that a client can be asked, and the capability that it must have declared. `ping` we answer ourselves. */
const QUESTIONS: ReadonlyMap<string, "elicitation" | "sampling" | "roots"> = new Map([
  ["elicitation/create", "elicitation"],
  ["sampling/createMessage", "sampling"],
  ["roots/list", "roots"],
]);

/** Notifications of an upstream that are meant for the client of a session. Progress of a call takes its own way. */
const NEWS: ReadonlySet<string> = new Set([
  "notifications/message",
  "notifications/progress",
  "notifications/elicitation/complete",
]);

const METHOD_NOT_FOUND = -32601;

/** What may be declared to an upstream that asks by sending requests. */
export function askableByRequest(client: LiveClient | null): ClientCapabilities {
  return client?.asked === "by_request" ? askable(client) : {};
}

/** What may be declared to an upstream that asks by the result of a call. */
export function askableByResult(client: LiveClient | null): ClientCapabilities {
  return client?.asked === "by_result" ? askable(client) : {};
}

/** What the client declared, as it declared it, of what we can pass on. */
function askable(client: LiveClient): ClientCapabilities {
  const declared = [...QUESTIONS.values()].flatMap((name) => {
    const value = client.capabilities[name];
    return isObject(value) ? [[name, value]] : [];
  });
  return Object.fromEntries(declared);
}

/** Tells a result that asks the client for input, and can be passed on to it, from an answer. */
export function askedOf(outcome: DispatchOutcome, client: LiveClient | null): DispatchOutcome {
  if (outcome.kind !== "answered" || outcome.result["resultType"] !== "input_required") return outcome;
  if (client?.asked !== "by_result") return outcome;
  const requests = outcome.result["inputRequests"] ?? {};
  const canAnswer =
    isObject(requests) &&
    Object.values(requests).every(
      (request) =>
        isObject(request) &&
        typeof request["method"] === "string" &&
        missing(request["method"], request["params"], client) === null,
    );
  return canAnswer ? { kind: "asked", result: outcome.result } : outcome;
}

/** Passes what the upstream asks and tells on to the client behind the connection. */
export function passOn(connection: Client, client: LiveClient): void {
  connection.fallbackRequestHandler = async ({ method, params }, context) => {
    const problem = client.asked === "by_request" ? missing(method, params, client) : NOT_HERE;
    if (problem !== null) throw new ProtocolError(METHOD_NOT_FOUND, problem);
    const reply = await client.ask(messageOf(method, params), context.mcpReq.signal);
    if (reply.kind === "result") return reply.result;
    throw new ProtocolError(reply.error.code, reply.error.message, reply.error.data);
  };
  connection.fallbackNotificationHandler = async ({ method, params }) => {
    if (NEWS.has(method)) client.tell(messageOf(method, params));
  };
}

const NOT_HERE =
  "The client of this call speaks protocol 2026-07-28, in which a server asks by the result of a call.";

/** Why the client cannot be asked this; null when it can. */
function missing(method: string, params: unknown, client: LiveClient): string | null {
  const capability = QUESTIONS.get(method);
  if (capability === undefined) return "Method not found";
  const declared = client.capabilities[capability];
  if (!isObject(declared)) return `The client did not declare the capability ${capability}.`;
  const isUrl = method === "elicitation/create" && isObject(params) && params["mode"] === "url";
  return isUrl && !isObject(declared["url"]) ? "The client did not declare elicitation by URL." : null;
}

function messageOf(method: string, params: unknown): ClientMessage {
  return isObject(params) ? { method, params } : { method };
}
