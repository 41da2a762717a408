import { PROTOCOL_VERSION_META_KEY } from "@modelcontextprotocol/client";
import type { RawResult } from "../../governance/ports.ts";
import { isObject, type RawReply, type RawRequest, replyOf } from "./raw-transport.ts";

/** Headers that the protocol library puts together for itself where the operator sets them. */
const COMPOSED = /^(?:accept|content-type|mcp-)/;

/** What a connection says of itself with every request. */
export interface ConnectionHeaders {
  readonly sessionId: string | undefined;
  readonly protocolVersion: string | undefined;
}

/**
 * Headers of calls that are posted without the protocol library; null for an operator whose headers are of a kind that only
 * the library knows how to join.
 */
export function shortHeaders(
  own: Readonly<Record<string, string>>,
): ((request: RawRequest, connection: ConnectionHeaders) => Readonly<Record<string, string>> | null) | null {
  const names = Object.keys(own).map((name) => name.toLowerCase());
  if (names.some((name) => COMPOSED.test(name)) || new Set(names).size < names.length) return null;
  const fixed = {
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [name.toLowerCase(), value])),
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  return (request, { sessionId, protocolVersion }) => {
    const { name, meta } = request.routing;
    const claimed = meta[PROTOCOL_VERSION_META_KEY];
    if (request.method !== "tools/call" || name === undefined) return null;
    const params = Object.entries(request.headers).map(([key, value]) => [key.toLowerCase(), value]);
    const connection = {
      ...fixed,
      ...Object.fromEntries(params),
      ...(sessionId !== undefined && { "mcp-session-id": sessionId }),
      ...(protocolVersion !== undefined && { "mcp-protocol-version": protocolVersion }),
    };
    if (claimed === undefined) return connection;
    // What a header cannot hold as it is has a form that the library knows.
    if (typeof claimed !== "string" || !/^[\x21-\x7e]+$/.test(name) || name.startsWith("=?")) return null;
    return { ...connection, "mcp-protocol-version": claimed, "mcp-method": request.method, "mcp-name": name };
  };
}

/**
 * The answer to this very request, where the text is a JSON-RPC response as plain as they come; null for all else, of which
 * the protocol library says what it is.
 */
export function plainReply(text: string, requestId: string): RawReply | null {
  const message = parsed(text);
  if (!isObject(message) || message["jsonrpc"] !== "2.0" || message["id"] !== requestId) return null;
  if (Object.keys(message).length !== 3) return null;
  const reply = replyOf(message);
  if (reply?.kind === "result") return hasPlainMeta(reply.result) ? inOrder(reply.result) : null;
  return reply?.kind === "error" && Number.isSafeInteger(reply.error.code) ? reply : null;
}

/** With `_meta` first, where the library has it: the hash of a result must not tell which way it came. */
function inOrder({ _meta, ...rest }: RawResult): RawReply {
  return { kind: "result", result: _meta === undefined ? rest : { _meta, ...rest } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Members of `_meta` that belong to the protocol have forms that the library checks. */
function hasPlainMeta({ _meta: meta, resultType }: { readonly [key: string]: unknown }): boolean {
  if (resultType !== undefined && typeof resultType !== "string") return false;
  if (meta === undefined) return true;
  const isOwn = (key: string) => key === "progressToken" || key.startsWith("io.modelcontextprotocol/");
  return isObject(meta) && !Object.keys(meta).some(isOwn);
}
