import {
  ProtocolError,
  ProtocolErrorCode,
  SERVER_INFO_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/server";
import type { AgentId } from "../../domain/ids.ts";
import type { Admission } from "../../domain/principal.ts";
import type { LiveClient } from "../../governance/live-client.ts";
import type { RawResult } from "../../governance/ports.ts";
import type { RawCall } from "../../governance/raw-call.ts";
import { type AgentServerDeps, serverInfo } from "./agent-server.ts";
import { answerCall } from "./answer-call.ts";
import type { HttpSessions } from "./http-sessions.ts";
import { isOwnTool } from "./own-tools.ts";
import { type PlainCall, readPlainCall } from "./plain-call.ts";
import { clientAskedByResult } from "./retrying-client.ts";

/** How often a stream that says nothing else says that it is alive; what the protocol library does, too. */
const KEEP_ALIVE_MS = 15_000;

const NEWEST = "2026-07-28";

/** One HTTP request that may be a plain call, and the way to answer it. */
export interface CallExchange {
  /** Header by its lower-case name. */
  header(name: string): string | undefined;
  /** The body, read once. */
  body(): Promise<Uint8Array>;
  /** Writes to the answer; the first text sends its headers, those of an event stream and these. */
  write(text: string, headers: Readonly<Record<string, string>>): void;
  end(text: string, headers: Readonly<Record<string, string>>): void;
  /** Called when the client goes away before the answer has ended. */
  onGone(listener: () => void): void;
}

/**
 * The way of plain calls over Streamable HTTP: read by hand, governed like any other call, answered as the protocol library
 * would answer. Everything else is declined before anything was done, and goes the way of that library.
 */
export interface ShortWay {
  /** @returns false when the request is for the other way */
  take(exchange: CallExchange): Promise<boolean>;
}

export interface ShortWayDeps extends AgentServerDeps {
  readonly authenticate: (authorization: string | null) => Promise<Admission>;
  readonly sessions: Pick<HttpSessions, "enter">;
}

export function createShortWay(deps: ShortWayDeps): ShortWay {
  return {
    async take(exchange) {
      const version = exchange.header("mcp-protocol-version");
      if (!acceptsStream(exchange) || (version !== undefined && !isKnown(version))) return false;
      // Where nobody can be let in because the database is away, the other way says so.
      const principal = await deps.authenticate(exchange.header("authorization") ?? null).catch(() => null);
      if (principal?.kind !== "agent") return false;
      const text = decoded(await exchange.body());
      const call = text === undefined ? null : readPlainCall(text);
      if (call === null || isOwnTool(call.name) || !headersFit(exchange, call)) return false;
      const caller = callerOf(call, principal.agent.id, exchange, deps);
      if (caller === null) return false;
      await deps.inFlight.run(() => answer(call, caller, exchange, deps));
      return true;
    },
  };
}

function acceptsStream(exchange: CallExchange): boolean {
  const accept = exchange.header("accept");
  return accept?.includes("application/json") === true && accept.includes("text/event-stream");
}

function isKnown(version: string): boolean {
  return version === NEWEST || SUPPORTED_PROTOCOL_VERSIONS.includes(version);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decoded(body: Uint8Array): string | undefined {
  try {
    return utf8.decode(body);
  } catch {
    // The other way says what is wrong with it.
    return undefined;
  }
}

/** Headers and body must speak of the same call, in the same revision. */
function headersFit(exchange: CallExchange, call: PlainCall): boolean {
  const version = exchange.header("mcp-protocol-version");
  const method = exchange.header("mcp-method");
  const name = exchange.header("mcp-name");
  if (call.envelope === null) return version !== NEWEST && method === undefined && name === undefined;
  const agree = version === NEWEST && call.envelope.version === NEWEST && method === "tools/call";
  return (
    agree && name === call.name && !name.startsWith("=?") && exchange.header("mcp-session-id") === undefined
  );
}

interface Caller {
  readonly agentId: AgentId;
  readonly client: LiveClient | undefined;
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  leave(): void;
}

/** null: the call is in a session that is not at hand, or its upstream may ask the client something, which is not for this way. */
function callerOf(
  call: PlainCall,
  agentId: AgentId,
  exchange: CallExchange,
  deps: ShortWayDeps,
): Caller | null {
  const id = exchange.header("mcp-session-id");
  if (id === undefined) {
    const gone = new AbortController();
    exchange.onGone(() => gone.abort());
    const client = call.envelope === null ? undefined : clientAskedByResult(call.envelope.capabilities);
    return { agentId, client, signal: gone.signal, headers: {}, leave: () => undefined };
  }
  const tool = deps.governance.upstreams.findTool(call.name);
  if (tool === undefined || deps.governance.upstreams.mayAsk(tool.upstream)) return null;
  const entered = deps.sessions.enter(id, agentId, call.id);
  return entered === null ? null : { agentId, ...entered, headers: { "mcp-session-id": id } };
}

async function answer(
  call: PlainCall,
  caller: Caller,
  exchange: CallExchange,
  deps: ShortWayDeps,
): Promise<void> {
  const beat = setInterval(() => exchange.write(": keepalive\n\n", caller.headers), KEEP_ALIVE_MS).unref();
  try {
    const message = await messageFor(call, rawCall(call, caller, exchange), deps);
    // A call that was cancelled is not answered any more.
    exchange.end(caller.signal.aborted ? "" : event(message), caller.headers);
  } finally {
    clearInterval(beat);
    caller.leave();
  }
}

function rawCall(call: PlainCall, caller: Caller, exchange: CallExchange): RawCall {
  const { progressToken } = call;
  return {
    agentId: caller.agentId,
    exposedName: call.name,
    argumentsText: call.argumentsText,
    metaText: call.metaText,
    client: caller.client,
    signal: caller.signal,
    ...(progressToken !== undefined && {
      onProgress: (progress) => {
        const params = { ...progress, progressToken };
        const notification = { jsonrpc: "2.0", method: "notifications/progress", params };
        exchange.write(event(notification), caller.headers);
      },
    }),
  };
}

/** The JSON-RPC response, its members in the order in which the protocol library writes them. */
async function messageFor({ id, envelope }: PlainCall, call: RawCall, deps: ShortWayDeps): Promise<object> {
  try {
    const result = await answerCall(call, deps);
    return { result: envelope === null ? result : stamped(result, deps.version), jsonrpc: "2.0", id };
  } catch (error) {
    if (!(error instanceof ProtocolError)) {
      deps.onError(error);
      return {
        jsonrpc: "2.0",
        id,
        error: { code: ProtocolErrorCode.InternalError, message: "Internal error" },
      };
    }
    const { code, message, data } = error;
    return {
      jsonrpc: "2.0",
      id,
      error: { code: codeOf(code), message, ...(data !== undefined && { data }) },
    };
  }
}

/** Revision 2026-07-28 has no code of its own for a missing resource, and the older ones are answered as if they had none. */
function codeOf(code: number): number {
  if (!Number.isSafeInteger(code)) return ProtocolErrorCode.InternalError;
  return code === RESOURCE_NOT_FOUND ? ProtocolErrorCode.InvalidParams : code;
}

const RESOURCE_NOT_FOUND = -32002;

/** What revision 2026-07-28 demands of every result, and asks every server to say of itself. */
function stamped(result: RawResult, version: string): object {
  const { _meta: meta = {} } = result;
  const typed = "resultType" in result ? result : { ...result, resultType: "complete" };
  if (typeof meta !== "object" || meta === null || Array.isArray(meta) || SERVER_INFO_META_KEY in meta)
    return typed;
  return { ...typed, _meta: { ...meta, [SERVER_INFO_META_KEY]: serverInfo(version) } };
}

function event(message: object): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}
