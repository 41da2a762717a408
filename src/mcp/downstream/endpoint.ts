import {
  type AuthInfo,
  createMcpHandler,
  isJsonContentType,
  JSONRPC_VERSION,
  type JSONRPCMessage,
  parseJSONRPCMessage,
} from "@modelcontextprotocol/server";
import { sha256 } from "../../domain/digest.ts";
import { AtlasError } from "../../domain/errors.ts";
import { type AgentId, type CaseRef, type RandomBytes, randomHex } from "../../domain/ids.ts";
import type { Principal } from "../../domain/principal.ts";
import { type AgentServerDeps, createAgentServer, isServedMethod } from "./agent-server.ts";
import { rpcErrorResponse } from "./error-response.ts";
import { type CallTexts, type ReadBody, readBody } from "./message-texts.ts";
import { SseServerTransport } from "./sse-transport.ts";

/** Largest request body of an agent. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Open event streams of all agents together; each holds a socket. */
const MAX_SSE_SESSIONS = 1_000;

export interface McpEndpointDeps extends AgentServerDeps {
  readonly authenticate: (authorization: string | null) => Promise<Principal | null>;
  readonly random: RandomBytes;
  /** Path that SSE clients post to. */
  readonly messagesPath: string;
}

export interface McpEndpoint {
  /** Streamable HTTP, both eras. Sessions are not used, so a restart of the gateway disturbs no client. */
  streamable(request: Request): Promise<Response>;
  /** Opens a legacy event stream. */
  sse(request: Request): Promise<Response>;
  /** Takes a message of a legacy event stream. */
  messages(request: Request): Promise<Response>;
  /** Tells connected agents that the list of tools changed. */
  toolsChanged(): void;
  close(): Promise<void>;
}

interface SseSession {
  readonly agentId: AgentId;
  readonly transport: SseServerTransport;
  /** Texts of calls that the SDK has not handed to us yet. */
  readonly texts: Map<string | number, string>;
  readonly toolsChanged: () => void;
  readonly tell: (message: string) => void;
}

/** The agents' side of the gateway. Whoever calls is an agent by its credential, on every request anew. */
export function createMcpEndpoint(deps: McpEndpointDeps): McpEndpoint {
  const sessions = new Map<string, SseSession>();
  const handler = createMcpHandler(
    (ctx) => {
      const { agentId, texts } = callerOf(ctx.authInfo);
      const server = createAgentServer({ agentId, textOf: (id) => texts.get(id), live: false }, deps);
      const method = ctx.requestInfo?.headers.get("mcp-method");
      // Without a handler the SDK answers an unknown method with the status that the 2026 revision asks for.
      if (typeof method === "string" && !isServedMethod(method)) delete server.fallbackRequestHandler;
      return server;
    },
    { onerror: deps.onError, maxRequestBodySize: MAX_BODY_BYTES },
  );
  const stopWatching = deps.governance.store.onChange((change) => {
    if (!change.reported && isNews(change.to)) tellAgent(sessions, change.agentId, change.ref, change.to);
  });

  return {
    streamable: (request) =>
      guarded(request, deps, async (agentId) => {
        if (request.method !== "POST")
          return handler.fetch(request, { authInfo: authInfo(agentId, new Map()) });
        const body = await readRequest(request, agentId, deps);
        if (body instanceof Response) return body;
        return handler.fetch(request, { parsedBody: body.value, authInfo: authInfo(agentId, body.calls) });
      }),
    sse: (request) =>
      guarded(request, deps, (agentId) =>
        openStream({ agentId, authorization: request.headers.get("authorization") }, sessions, deps),
      ),
    messages: (request) => guarded(request, deps, (agentId) => takeMessage(request, agentId, sessions, deps)),
    toolsChanged() {
      handler.notify.toolsChanged();
      for (const session of sessions.values()) session.toolsChanged();
    },
    async close() {
      stopWatching();
      await Promise.all([...sessions.values()].map((s) => s.transport.close()));
      await handler.close();
    },
  };
}

/** Lets only agents in; a person's credential is the wrong kind here. */
async function guarded(
  request: Request,
  deps: McpEndpointDeps,
  serve: (agentId: AgentId) => Promise<Response>,
): Promise<Response> {
  const principal = await deps.authenticate(request.headers.get("authorization"));
  if (principal === null) {
    return rpcErrorResponse(
      new AtlasError("auth.missing", "No valid agent key: send it as `Authorization: Bearer atlas_agent_…`."),
      { "www-authenticate": "Bearer" },
    );
  }
  if (principal.kind !== "agent") {
    return rpcErrorResponse(
      new AtlasError(
        "auth.wrong_principal",
        "This is a person's token; tools are called with an agent's key.",
      ),
    );
  }
  return serve(principal.agent.id);
}

/** The body as value and texts, or the answer that refuses it. */
async function readRequest(
  request: Request,
  agentId: AgentId,
  deps: McpEndpointDeps,
): Promise<ReadBody | Response> {
  if (!isJsonContentType(request.headers.get("content-type"))) {
    return rpcErrorResponse(
      new AtlasError("request.unsupported_media_type", "Send the message as application/json."),
    );
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await request.arrayBuffer());
  } catch {
    return rpcErrorResponse(new AtlasError("request.invalid", "The body is not valid UTF-8."));
  }
  const read = readBody(text);
  if (read.ok) return read.value;
  const { message, place } = read.failure;
  await deps.governance.store.recordRefusal({
    agentId,
    reasonId: "arguments.ambiguous",
    toolSha256: sha256(""),
  });
  return rpcErrorResponse(
    new AtlasError("request.invalid", `${message} Place: ${place || "the body"} [arguments.ambiguous].`),
  );
}

async function openStream(
  { agentId, authorization }: { readonly agentId: AgentId; readonly authorization: string | null },
  sessions: Map<string, SseSession>,
  deps: McpEndpointDeps,
): Promise<Response> {
  if (sessions.size >= MAX_SSE_SESSIONS) {
    return rpcErrorResponse(
      new AtlasError("store.failed", "Too many event streams are open; close some or use /mcp."),
    );
  }
  const sessionId = randomHex(16, deps.random);
  const mayStay = async () => {
    const principal = await deps.authenticate(authorization).catch(() => null);
    return principal?.kind === "agent" && principal.agent.id === agentId;
  };
  const transport = new SseServerTransport({ sessionId, messagesPath: deps.messagesPath, mayStay });
  const texts = new Map<string | number, string>();
  const textOf = (id: string | number) => {
    const text = texts.get(id);
    texts.delete(id);
    return text;
  };
  const server = createAgentServer({ agentId, textOf, live: true }, deps);
  server.onerror = deps.onError;
  sessions.set(sessionId, {
    agentId,
    transport,
    texts,
    toolsChanged: () => void server.sendToolListChanged().catch(() => undefined),
    tell: (message) =>
      void server
        .notification({
          method: "notifications/message",
          params: { level: "info", logger: "atlas", data: message },
        })
        .catch(() => undefined),
  });
  server.onclose = () => sessions.delete(sessionId);
  await server.connect(transport);
  return new Response(transport.stream, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

async function takeMessage(
  request: Request,
  agentId: AgentId,
  sessions: ReadonlyMap<string, SseSession>,
  deps: McpEndpointDeps,
): Promise<Response> {
  const session = sessions.get(new URL(request.url).searchParams.get("sessionId") ?? "");
  // Another agent's stream does not exist for this one.
  if (session === undefined || session.agentId !== agentId) {
    return rpcErrorResponse(
      new AtlasError("resource.not_found", "No open event stream with this sessionId; open one at /mcp/sse."),
    );
  }
  const body = await readRequest(request, agentId, deps);
  if (body instanceof Response) return body;
  const messages: unknown[] = Array.isArray(body.value) ? body.value : [body.value];
  let parsed: JSONRPCMessage[];
  try {
    parsed = messages.map((m) => parseJSONRPCMessage(m));
  } catch {
    return rpcErrorResponse(
      new AtlasError("request.invalid", `The body is not a JSON-RPC ${JSONRPC_VERSION} message.`),
    );
  }
  for (const [id, text] of body.calls) session.texts.set(id, text);
  for (const message of parsed) session.transport.receive(message, { request });
  return new Response("Accepted", { status: 202 });
}

/** What the factory needs to know travels with the SDK's own carrier of verified identity. */
function authInfo(agentId: AgentId, texts: CallTexts): AuthInfo {
  return { token: "", clientId: agentId, scopes: [], extra: { caller: new Caller(agentId, texts) } };
}

/** The agent of one HTTP request, and the texts of the calls in it. */
class Caller {
  readonly agentId: AgentId;
  readonly texts: CallTexts;

  constructor(agentId: AgentId, texts: CallTexts) {
    this.agentId = agentId;
    this.texts = texts;
  }
}

/** @throws AtlasError when a request got past the authentication, which is a mistake of ours. */
function callerOf(info: AuthInfo | undefined): Caller {
  const caller = info?.extra?.["caller"];
  if (caller instanceof Caller) return caller;
  throw new AtlasError("internal", "A request reached the MCP handler without an agent.");
}

function isNews(state: string): boolean {
  return ["SUCCEEDED", "FAILED", "REJECTED", "EXPIRED", "CANCELLED", "DENIED", "UNKNOWN"].includes(state);
}

function tellAgent(
  sessions: ReadonlyMap<string, SseSession>,
  agentId: AgentId,
  ref: CaseRef,
  state: string,
): void {
  for (const session of sessions.values()) {
    if (session.agentId === agentId)
      session.tell(`Your case ${ref} is now ${state}. Ask check_status for more.`);
  }
}
