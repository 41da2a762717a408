/**
 * An MCP server over stdio, written by hand, that asks and tells its client whatever it is told to.
 *
 * `node asking-upstream.ts [--modern]`. Tools: `connection` (who this process is and what its client declared), `ask`
 * (sends a request, answers with the reply), `tell` (sends a notification); with `--modern` (2026-07-28) `needs_input` in
 * their place, which asks by its result.
 */
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { isObject, type JsonObject } from "./counting-tools.ts";

const MODERN = process.argv.includes("--modern");
const ID = randomUUID();
const ENVELOPE = "io.modelcontextprotocol/clientCapabilities";

let declared: unknown = null;
let calls = 0;
let lastAsked = 0;
const asked = new Map<number, (reply: JsonObject) => void>();

function write(message: JsonObject): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

const text = (value: unknown): JsonObject => ({
  ...(MODERN && { resultType: "complete" }),
  content: [{ type: "text", text: JSON.stringify(value) }],
});

async function ask(args: JsonObject): Promise<JsonObject> {
  lastAsked += 1;
  const id = lastAsked;
  const { promise, resolve } = Promise.withResolvers<JsonObject>();
  asked.set(id, resolve);
  write({ id, method: args["method"], params: args["params"] });
  if (args["cancel"] === true) write({ method: "notifications/cancelled", params: { requestId: id } });
  const { result, error } = await promise;
  return { ...(result !== undefined && { result }), ...(error !== undefined && { error }) };
}

/** What the tool answers; an object with `code` is a JSON-RPC error. */
async function call(params: JsonObject): Promise<JsonObject> {
  calls += 1;
  const args = isObject(params["arguments"]) ? params["arguments"] : {};
  const meta = isObject(params["_meta"]) ? params["_meta"] : {};
  switch (params["name"]) {
    case "connection":
      return text({ id: ID, calls, declared: MODERN ? meta[ENVELOPE] : declared });
    case "ask":
      return text(await ask(args));
    case "tell":
      write({ method: args["method"], params: args["params"] });
      return text("told");
    case "needs_input":
      return needsInput(params, meta[ENVELOPE]);
    default:
      return { code: -32602, message: "Unknown tool" };
  }
}

function needsInput(params: JsonObject, capabilities: unknown): JsonObject {
  if (!isObject(capabilities) || capabilities["elicitation"] === undefined)
    return {
      code: -32021,
      message: "Missing required client capability",
      data: { requiredCapabilities: {} },
    };
  const { inputResponses, requestState } = params;
  if (inputResponses !== undefined) return text({ inputResponses, requestState, declared: capabilities });
  const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
  const question = {
    method: "elicitation/create",
    params: { mode: "form", message: "Who?", requestedSchema },
  };
  return {
    resultType: "input_required",
    inputRequests: { who: question },
    requestState: "state-of-upstream",
  };
}

async function answer(method: unknown, params: JsonObject): Promise<JsonObject> {
  const serverInfo = { name: "asking-upstream", version: "1.0.0" };
  if (method === "initialize" && !MODERN) {
    declared = params["capabilities"];
    const { protocolVersion } = params;
    return { protocolVersion, capabilities: { tools: {}, logging: {} }, serverInfo };
  }
  if (method === "server/discover" && MODERN) {
    const freshness = { ttlMs: 0, cacheScope: "private" };
    const _meta = { "io.modelcontextprotocol/serverInfo": serverInfo };
    return { supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, ...freshness, _meta };
  }
  if (method === "tools/list") {
    const names = MODERN ? ["connection", "needs_input"] : ["connection", "ask", "tell"];
    const tools = names.map((name) => ({ name, inputSchema: { type: "object" } }));
    return { tools, ...(MODERN && { resultType: "complete", ttlMs: 0, cacheScope: "private" }) };
  }
  if (method === "tools/call") return await call(params);
  return { code: -32601, message: "Method not found" };
}

async function take(message: JsonObject): Promise<void> {
  const { id, method } = message;
  if (method === undefined) {
    if (typeof id === "number") asked.get(id)?.(message);
    return;
  }
  if (id === undefined) return;
  const result = await answer(method, isObject(message["params"]) ? message["params"] : {});
  write("code" in result ? { id, error: result } : { id, result });
}

const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
lines.on("line", (line) => {
  const message: unknown = JSON.parse(line);
  if (isObject(message)) void take(message);
});
lines.on("close", () => process.exit(0));
