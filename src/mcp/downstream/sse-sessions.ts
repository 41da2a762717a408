import { JSONRPC_VERSION, type JSONRPCMessage, parseJSONRPCMessage } from "@modelcontextprotocol/server";
import { AtlasError } from "../../domain/errors.ts";
import { type AgentId, type RandomBytes, randomHex } from "../../domain/ids.ts";
import { type AgentSession, type AgentSessionDeps, createAgentSession } from "./agent-session.ts";
import { rpcErrorResponse } from "./error-response.ts";
import type { ReadBody } from "./message-texts.ts";
import { SseServerTransport } from "./sse-transport.ts";

/** Open event streams of all agents together; each holds a socket. */
const MAX_SSE_SESSIONS = 1_000;

export interface SseSessionsDeps extends AgentSessionDeps {
  readonly random: RandomBytes;
  /** Path that SSE clients post to. */
  readonly messagesPath: string;
  /** Whether a credential still is this agent's. Never throws. */
  readonly mayStay: (agentId: AgentId, authorization: string | null) => Promise<boolean>;
}

interface SseSession extends AgentSession {
  readonly transport: SseServerTransport;
}

/** Sessions of the legacy HTTP+SSE transport (protocol 2024-11-05), which last as long as their event streams. */
export interface SseSessions {
  /** Opens an event stream. */
  open(agentId: AgentId, request: Request): Promise<Response>;
  /** @returns null when the agent has no such stream */
  find(agentId: AgentId, request: Request): SseSession | null;
  /** Takes a message of an open stream; its answer goes out there. */
  take(session: SseSession, body: ReadBody, request: Request): Response;
  all(): Iterable<AgentSession>;
  close(): Promise<void>;
}

export function createSseSessions(deps: SseSessionsDeps): SseSessions {
  const sessions = new Map<string, SseSession>();
  return {
    open: (agentId, request) => openStream(agentId, request, sessions, deps),
    find: (agentId, request) => {
      const session = sessions.get(new URL(request.url).searchParams.get("sessionId") ?? "");
      // Another agent's stream does not exist for this one.
      return session?.agentId === agentId ? session : null;
    },
    take,
    all: () => sessions.values(),
    close: async () => {
      await Promise.all([...sessions.values()].map((session) => session.transport.close()));
    },
  };
}

async function openStream(
  agentId: AgentId,
  request: Request,
  sessions: Map<string, SseSession>,
  deps: SseSessionsDeps,
): Promise<Response> {
  if (sessions.size >= MAX_SSE_SESSIONS) {
    return rpcErrorResponse(
      new AtlasError("store.failed", "Too many event streams are open; close some or use /mcp."),
    );
  }
  const authorization = request.headers.get("authorization");
  const id = randomHex(16, deps.random);
  const transport = new SseServerTransport({
    sessionId: id,
    messagesPath: deps.messagesPath,
    mayStay: () => deps.mayStay(agentId, authorization),
  });
  const session = { ...createAgentSession({ id, agentId, isListening: () => true }, deps), transport };
  session.server.onerror = deps.onError;
  sessions.set(id, session);
  session.server.onclose = () => {
    sessions.delete(id);
    session.hearing.close();
    deps.governance.upstreams.endSession({ agentId, session: id });
  };
  await session.server.connect(transport);
  return new Response(transport.stream, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

function take(session: SseSession, body: ReadBody, request: Request): Response {
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
  for (const message of messages) session.learn(message);
  for (const message of parsed) session.transport.receive(message, { request });
  return new Response("Accepted", { status: 202 });
}
