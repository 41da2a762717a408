import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { AtlasError } from "../../domain/errors.ts";
import type { AgentId } from "../../domain/ids.ts";
import type { LiveClient } from "../../governance/live-client.ts";
import { type AgentSession, type AgentSessionDeps, createAgentSession } from "./agent-session.ts";
import { rpcErrorResponse } from "./error-response.ts";
import type { ReadBody } from "./message-texts.ts";
import { createSessionIds } from "./session-ids.ts";

/** How often sessions are looked through, and agents that listen are asked for their right to. */
const SWEEP_MS = 15_000;

/** Ids of sessions that their clients ended, so that they stay ended while this process lives. */
const MAX_ENDED = 10_000;

/** Bounds on sessions, which cost memory. A session that has to give way can go on later, as after a restart. */
export interface SessionLimits {
  readonly perAgent: number;
  readonly inAll: number;
  readonly idleMs: number;
}

const LIMITS: SessionLimits = { perAgent: 100, inAll: 1_000, idleMs: 30 * 60_000 };

export interface HttpSessionsDeps extends AgentSessionDeps {
  readonly random: Parameters<typeof createSessionIds>[1];
  /** Secret that session ids are made with. */
  readonly sessionKey: Uint8Array;
  readonly limits?: Partial<SessionLimits>;
  /** Whether a credential still is this agent's. Never throws. */
  readonly mayStay: (agentId: AgentId, authorization: string | null) => Promise<boolean>;
}

/** A request of an agent within a session. */
export interface SessionRequest {
  readonly agentId: AgentId;
  readonly request: Request;
  /** null for GET and DELETE. */
  readonly body: ReadBody | null;
}

/** Sessions of Streamable HTTP for the protocol revisions that have them. */
export interface HttpSessions {
  /** Begins a session with an `initialize`; null when there is no room, and the client must do without one. */
  open(request: SessionRequest): Promise<Response | null>;
  /** Answers a request that names a session: 404 when it is not one of this agent's. */
  serve(id: string, request: SessionRequest): Promise<Response>;
  /** Begins a call that is answered outside the session's own transport; null when the session is not at hand. */
  enter(id: string, agentId: AgentId, callId: string | number): EnteredSession | null;
  all(): Iterable<AgentSession>;
  /** Ends what is idle, and streams of agents that may not listen any more; a timer does the same. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** A session while one of its calls is answered outside its own transport. */
export interface EnteredSession {
  readonly client: LiveClient;
  /** Aborts when the client cancels the call. */
  readonly signal: AbortSignal;
  leave(): void;
}

interface HttpSession extends AgentSession {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  usedAtMs: number;
  /** Answers and the listening stream that are open. */
  streams: number;
  /** Calls that are answered outside the transport, by their JSON-RPC ids. */
  readonly entered: Map<string | number, AbortController>;
  /** Credential that the listening stream was opened with; undefined while there is none. */
  listener: string | null | undefined;
}

export function createHttpSessions(deps: HttpSessionsDeps): HttpSessions {
  const book = new SessionBook(deps);
  const timer = setInterval(() => void book.sweep(), SWEEP_MS).unref();
  return {
    open: (request) => book.open(request),
    serve: (id, request) => book.serve(id, request),
    enter: (id, agentId, callId) => book.enter(id, agentId, callId),
    all: () => book.all(),
    sweep: () => book.sweep(),
    close: () => {
      clearInterval(timer);
      return book.close();
    },
  };
}

class SessionBook {
  readonly #deps: HttpSessionsDeps;
  readonly #limits: SessionLimits;
  readonly #ids: ReturnType<typeof createSessionIds>;
  readonly #sessions = new Map<string, HttpSession>();
  readonly #reviving = new Map<string, Promise<HttpSession | null>>();
  readonly #ended = new Set<string>();

  constructor(deps: HttpSessionsDeps) {
    this.#deps = deps;
    this.#limits = { ...LIMITS, ...deps.limits };
    this.#ids = createSessionIds(deps.sessionKey, deps.random);
  }

  all(): Iterable<AgentSession> {
    return this.#sessions.values();
  }

  async open({ agentId, request, body }: SessionRequest): Promise<Response | null> {
    if (body === null || !this.#makeRoom(agentId)) return null;
    const session = await this.#create(agentId, this.#ids.create(agentId));
    session.learn(body.value);
    const response = await session.transport.handleRequest(request, { parsedBody: body.value });
    if (!this.#sessions.has(session.id)) await session.server.close();
    return this.#track(session, response);
  }

  async serve(id: string, { agentId, request, body }: SessionRequest): Promise<Response> {
    const session = await this.#find(id, agentId, request.headers.get("mcp-protocol-version"));
    if (session === null) {
      return rpcErrorResponse(
        new AtlasError("resource.not_found", "There is no such session; send initialize to begin one."),
      );
    }
    session.usedAtMs = this.#deps.governance.clock.monotonicMs();
    const cancelled = cancelledId(body?.value);
    if (cancelled !== undefined) session.entered.get(cancelled)?.abort();
    for (const [callId, text] of body?.calls ?? []) session.texts.set(callId, text);
    const parsed = body === null ? {} : { parsedBody: body.value };
    const response = await session.transport.handleRequest(request, parsed);
    if (request.method === "DELETE" && response.ok) this.#forget(session.id);
    if (request.method !== "GET" || !response.ok) return this.#track(session, response);
    session.listener = request.headers.get("authorization");
    return this.#track(session, response, () => {
      session.listener = undefined;
    });
  }

  enter(id: string, agentId: AgentId, callId: string | number): EnteredSession | null {
    const session = this.#sessions.get(id);
    if (session?.agentId !== agentId) return null;
    const cancelled = new AbortController();
    session.entered.set(callId, cancelled);
    session.streams += 1;
    return {
      client: session.client,
      signal: cancelled.signal,
      leave: () => {
        session.streams -= 1;
        session.usedAtMs = this.#deps.governance.clock.monotonicMs();
        if (session.entered.get(callId) === cancelled) session.entered.delete(callId);
      },
    };
  }

  async sweep(): Promise<void> {
    const { clock } = this.#deps.governance;
    const idleSince = clock.monotonicMs() - this.#limits.idleMs;
    await Promise.all(
      [...this.#sessions.values()].map(async (session) => {
        const { listener } = session;
        const isOver =
          listener === undefined
            ? isIdle(session) && session.usedAtMs <= idleSince
            : !(await this.#deps.mayStay(session.agentId, listener));
        if (isOver) await session.server.close();
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.server.close()));
  }

  async #find(id: string, agentId: AgentId, version: string | null): Promise<HttpSession | null> {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known.agentId === agentId ? known : null;
    if (this.#ended.has(id) || !this.#ids.isOf(agentId, id)) return null;
    const reviving = this.#reviving.get(id) ?? this.#revive(id, agentId, version);
    this.#reviving.set(id, reviving);
    try {
      return await reviving;
    } finally {
      this.#reviving.delete(id);
    }
  }

  /**
   * Takes a session up again that a process before this one began, or that had to give way. What its client declared is
   * not known any more, so it is asked nothing; calls and news go on.
   */
  async #revive(id: string, agentId: AgentId, version: string | null): Promise<HttpSession | null> {
    if (!this.#makeRoom(agentId)) return null;
    const session = await this.#create(agentId, id);
    const params = {
      protocolVersion: version ?? "2025-03-26",
      capabilities: {},
      clientInfo: { name: "unknown", version: "0" },
    };
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const handshake = new Request("http://localhost/mcp", { method: "POST", headers });
    const parsedBody = { jsonrpc: "2.0", id: "revive", method: "initialize", params };
    await (await session.transport.handleRequest(handshake, { parsedBody })).text();
    return this.#sessions.get(id) ?? null;
  }

  async #create(agentId: AgentId, id: string): Promise<HttpSession> {
    const { governance } = this.#deps;
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessioninitialized: () => void this.#sessions.set(id, session),
    });
    const agentSession = createAgentSession(
      { id, agentId, isListening: () => session.listener !== undefined },
      this.#deps,
    );
    const session: HttpSession = {
      ...agentSession,
      transport,
      usedAtMs: governance.clock.monotonicMs(),
      streams: 0,
      entered: new Map(),
      listener: undefined,
    };
    session.server.onerror = this.#deps.onError;
    session.server.onclose = () => {
      this.#sessions.delete(id);
      session.hearing.close();
      governance.upstreams.endSession({ agentId, session: id });
    };
    await session.server.connect(transport);
    return session;
  }

  /** @returns false when every session that could give way is in use. */
  #makeRoom(agentId: AgentId): boolean {
    const own = [...this.#sessions.values()].filter((session) => session.agentId === agentId);
    const candidates =
      own.length >= this.#limits.perAgent
        ? own
        : this.#sessions.size >= this.#limits.inAll
          ? [...this.#sessions.values()]
          : null;
    if (candidates === null) return true;
    const [oldest] = candidates.filter(isIdle).toSorted((a, b) => a.usedAtMs - b.usedAtMs);
    if (oldest === undefined) return false;
    this.#sessions.delete(oldest.id);
    void oldest.server.close().catch(this.#deps.onError);
    return true;
  }

  #forget(id: string): void {
    this.#ended.add(id);
    const [first] = this.#ended;
    if (this.#ended.size > MAX_ENDED && first !== undefined) this.#ended.delete(first);
  }

  /** Counts an answer as open until it was read to its end, or its reader went away. */
  #track(session: HttpSession, response: Response, onEnd: () => void = () => undefined): Response {
    const { body } = response;
    if (body === null) return response;
    session.streams += 1;
    const end = (): void => {
      session.streams -= 1;
      session.usedAtMs = this.#deps.governance.clock.monotonicMs();
      onEnd();
    };
    return new Response(body.pipeThrough(new TransformStream({ flush: end, cancel: end })), response);
  }
}

/** The call that a client takes back; undefined when the message is about something else. */
function cancelledId(message: unknown): string | number | undefined {
  if (!isObject(message) || message["method"] !== "notifications/cancelled") return undefined;
  const id = isObject(message["params"]) ? message["params"]["requestId"] : undefined;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isIdle(session: HttpSession): boolean {
  return session.streams === 0 && session.calls.size === 0;
}
