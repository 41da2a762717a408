import {
  type AuthInfo,
  createMcpHandler,
  isJsonContentType,
  isLegacyRequest,
  type McpHttpHandler,
  type McpServerFactory,
  type ServerEventBus,
} from "@modelcontextprotocol/server";
import { sha256 } from "../../domain/digest.ts";
import { AtlasError } from "../../domain/errors.ts";
import type { AgentId, RandomBytes } from "../../domain/ids.ts";
import type { Admission } from "../../domain/principal.ts";
import { type AgentServerDeps, createAgentServer, isServedMethod } from "./agent-server.ts";
import type { AgentSession } from "./agent-session.ts";
import { batchProblem } from "./batches.ts";
import { type Challenge, challengeOf } from "./challenge.ts";
import { rpcErrorResponse } from "./error-response.ts";
import { createHearings, type HearingsDeps } from "./hearings.ts";
import { createHttpSessions, type SessionLimits } from "./http-sessions.ts";
import { createInFlight } from "./in-flight.ts";
import { createListenBus } from "./listen.ts";
import { type CallTexts, type ReadBody, readBody } from "./message-texts.ts";
import { retryingClient } from "./retrying-client.ts";
import { createShortWay, type ShortWay } from "./short-way.ts";
import { createSseSessions } from "./sse-sessions.ts";

/** Largest request body of an agent. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

export interface McpEndpointDeps extends Omit<AgentServerDeps, "inFlight"> {
  readonly governance: AgentServerDeps["governance"] & HearingsDeps["governance"];
  readonly authenticate: (authorization: string | null) => Promise<Admission>;
  readonly challenge: () => Challenge;
  readonly random: RandomBytes;
  /** Path that SSE clients post to. */
  readonly messagesPath: string;
  /** Secret of the data folder, so that sessions outlive this process. */
  readonly sessionKey: Uint8Array;
  readonly sessionLimits?: Partial<SessionLimits>;
}

export interface McpEndpoint {
  /** Streamable HTTP, both eras. Clients of the older one get sessions, which neither they need nor a restart disturbs. */
  streamable(request: Request): Promise<Response>;
  /** The way of plain calls, which all other requests are declined by. */
  readonly shortWay: ShortWay;
  /** Opens a legacy event stream. */
  sse(request: Request): Promise<Response>;
  /** Takes a message of a legacy event stream. */
  messages(request: Request): Promise<Response>;
  /** Tells connected agents that the list of tools changed. */
  toolsChanged(): void;
  /** Lets those who only wait for news answer now; settles when every request in flight is answered. */
  drain(): Promise<void>;
  /** Tells each connected agent if what it may read changed, in the lists or by the policy. */
  offersChanged(): void;
  /** Tells the agents that watch a resource, and may read it, that it changed. */
  resourceUpdated(updated: { readonly upstream: string; readonly uri: string }): void;
  /** Ends idle sessions now; a timer does the same. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** The agents' side of the gateway. Whoever calls is an agent by its credential, on every request anew. */
export function createMcpEndpoint(params: McpEndpointDeps): McpEndpoint {
  const inFlight = createInFlight();
  const deps = { ...params, inFlight };
  const hearings = createHearings(deps);
  const bus = createListenBus({ governance: deps.governance, hearings });
  const handler = statelessHandler(deps, bus);
  const mayStay = async (agentId: AgentId, authorization: string | null): Promise<boolean> => {
    const principal = await deps.authenticate(authorization).catch(() => null);
    return principal?.kind === "agent" && principal.agent.id === agentId;
  };
  const http = createHttpSessions({ ...deps, hearings, mayStay });
  const sse = createSseSessions({ ...deps, hearings, mayStay });
  const sessions = (): readonly AgentSession[] => [...http.all(), ...sse.all()];
  const stopWatching = deps.governance.store.onChange((change) => {
    if (change.reported || !isNews(change.to)) return;
    for (const session of sessions())
      if (session.agentId === change.agentId) session.tellCaseEnded(change.ref, change.to);
  });

  const streamable = async (request: Request, agentId: AgentId): Promise<Response> => {
    const id = request.headers.get("mcp-session-id");
    if (request.method !== "POST") {
      return id === null
        ? handler.fetch(request, { authInfo: authInfo(agentId, new Map()) })
        : http.serve(id, { agentId, request, body: null });
    }
    const body = await readRequest(request, agentId, deps);
    if (body instanceof Response) return body;
    const session = [...http.all()].find((known) => known.id === id && known.agentId === agentId);
    const problem = batchProblem(body.value, [
      request.headers.get("mcp-protocol-version"),
      agreedIn(session),
    ]);
    if (problem !== null) return rpcErrorResponse(problem);
    const isLegacy = await isLegacyRequest(request, body.value);
    if (isLegacy && id !== null) return http.serve(id, { agentId, request, body });
    const begins = isLegacy && isInitialize(body.value);
    const opened = begins ? await http.open({ agentId, request, body }) : null;
    return (
      opened ??
      bus.serve({ agentId, body: body.value }, (parsedBody) =>
        handler.fetch(request, { parsedBody, authInfo: authInfo(agentId, body.calls) }),
      )
    );
  };

  return {
    streamable: (request) => guarded(request, deps, (agentId) => streamable(request, agentId)),
    shortWay: createShortWay({ ...deps, sessions: http }),
    sse: (request) => guarded(request, deps, (agentId) => sse.open(agentId, request)),
    messages: (request) =>
      guarded(request, deps, async (agentId) => {
        const session = sse.find(agentId, request);
        if (session === null) return rpcErrorResponse(NO_STREAM);
        const body = await readRequest(request, agentId, deps);
        if (body instanceof Response) return body;
        const problem = batchProblem(body.value, [agreedIn(session)]);
        return problem === null ? sse.take(session, body, request) : rpcErrorResponse(problem);
      }),
    toolsChanged() {
      handler.notify.toolsChanged();
      for (const session of sessions()) session.tellToolsChanged();
    },
    drain: () => inFlight.drain(),
    offersChanged: hearings.offersChanged,
    resourceUpdated: hearings.resourceUpdated,
    sweep: () => http.sweep(),
    async close() {
      stopWatching();
      await Promise.all([http.close(), sse.close()]);
      await handler.close();
    },
  };
}

const NO_STREAM = new AtlasError(
  "resource.not_found",
  "No open event stream with this sessionId; open one at /mcp/sse.",
);

/**
 * Answers whatever belongs to no session: the 2026 revision, and older clients that hold no session id. Calls are answered
 * on event streams, whose heartbeats keep proxies from giving up on one that takes long; anything else is answered at once.
 */
function statelessHandler(
  deps: AgentServerDeps,
  bus: ServerEventBus,
): Pick<McpHttpHandler, "fetch" | "notify" | "close"> {
  const serve: McpServerFactory = (ctx) => {
    const { agentId, texts } = callerOf(ctx.authInfo);
    const textOf = (id: string | number) => texts.get(id);
    const listens = ctx.era === "modern";
    const params = { agentId, textOf, live: false, listens, hearing: null };
    const asked = listens ? { clientOf: retryingClient } : {};
    const server = createAgentServer({ ...params, ...asked }, deps);
    const method = ctx.requestInfo?.headers.get("mcp-method");
    // Without a handler the SDK answers an unknown method with the status that the 2026 revision asks for.
    if (typeof method === "string" && !isServedMethod(method)) delete server.fallbackRequestHandler;
    return server;
  };
  const options = { onerror: deps.onError, maxRequestBodySize: MAX_BODY_BYTES, bus };
  const plain = createMcpHandler(serve, options);
  const calls = createMcpHandler(serve, { ...options, responseMode: "sse" });
  return {
    fetch: (request, more) =>
      (request.headers.get("mcp-method") === "tools/call" ? calls : plain).fetch(request, more),
    notify: plain.notify,
    close: async () => {
      await Promise.all([plain.close(), calls.close()]);
    },
  };
}

/** Revision that the client and the gateway agreed on. */
function agreedIn(session: AgentSession | undefined): string | undefined {
  return session?.server.getNegotiatedProtocolVersion();
}

function isInitialize(message: unknown): boolean {
  return (
    typeof message === "object" &&
    message !== null &&
    "method" in message &&
    message.method === "initialize" &&
    "id" in message
  );
}

/** Lets only agents in; a person's credential is the wrong kind here. */
async function guarded(
  request: Request,
  deps: McpEndpointDeps,
  serve: (agentId: AgentId) => Promise<Response>,
): Promise<Response> {
  const principal = await deps.authenticate(request.headers.get("authorization"));
  if (principal.kind === "refused") {
    return rpcErrorResponse(
      new AtlasError(principal.code, principal.message),
      challengeOf(principal, deps.challenge()),
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
