import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client";
import type { RawResult, RawRpcError } from "../../governance/ports.ts";
import type { OverlongLine } from "./lines.ts";

/** One request whose bytes the transport must not touch. */
export interface RawRequest {
  /** Never a number: those are the protocol client's. Also the token of the call's progress. */
  readonly id: string;
  readonly method: string;
  /** The whole request as it goes over the wire, without line break. */
  readonly text: string;
  /** What HTTP headers are derived from: the name or URI asked for, and the protocol's own `_meta`. */
  readonly routing: {
    readonly name?: string;
    readonly uri?: string;
    readonly meta: Readonly<Record<string, unknown>>;
  };
  /** `Mcp-Param-*` headers; HTTP only. */
  readonly headers: Readonly<Record<string, string>>;
  /** Asked immediately before the first byte is written; false means that it is too late. */
  readonly mayWrite: () => boolean;
  readonly onProgress: ((progress: { readonly [key: string]: unknown }) => void) | undefined;
  /** Nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What became of a raw request. */
export type RawReply =
  | { readonly kind: "result"; readonly result: RawResult }
  | { readonly kind: "error"; readonly error: RawRpcError }
  /** Not one byte of the request was written. */
  | { readonly kind: "not_sent"; readonly late: boolean; readonly stale: boolean; readonly detail: string }
  /** An answer came, and was larger than is taken. */
  | { readonly kind: "too_large"; readonly bytes: number }
  /** Perhaps written, and the answer will not come. */
  | { readonly kind: "lost" };

/** An MCP transport that also carries requests whose bytes it does not touch, beside the protocol client's own. */
export interface RawTransport extends Transport {
  /** Process that answers; null when there is none of ours. */
  readonly pid: number | null;
  /** Settles when an answer came or cannot come; never rejects. Aborting `signal` settles it as lost. */
  exchange(request: RawRequest): Promise<RawReply>;
}

interface Waiting {
  readonly settle: (reply: RawReply) => void;
  readonly onProgress: RawRequest["onProgress"];
}

/** Raw requests that wait for their answer on one connection. */
export class WaitingRequests {
  readonly #waiting = new Map<string, Waiting>();

  add(request: RawRequest, settle: (reply: RawReply) => void): void {
    this.#waiting.set(request.id, { settle, onProgress: request.onProgress });
  }

  settle(id: string, reply: RawReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.settle(reply);
  }

  settleAll(reply: RawReply): void {
    for (const id of this.#waiting.keys()) this.settle(id, reply);
  }

  /** Takes a message that belongs to a raw request, before the protocol client could reshape it. */
  take(message: unknown): boolean {
    if (!isObject(message)) return false;
    if (message["method"] === "notifications/progress") return this.#takeProgress(message["params"]);
    const id = message["id"];
    if (typeof id !== "string" || !id.startsWith(RAW_ID_PREFIX) || "method" in message) return false;
    const reply = replyOf(message);
    this.settle(id, reply ?? { kind: "lost" });
    return true;
  }

  /** Settles the request whose answer was too long to be kept. Its id is unguessable, so no other message is taken for it. */
  takeOverlong({ head, tail, bytes }: OverlongLine): void {
    // SDKs write the id before or after the result.
    const id = /"id"\s*:\s*"(atlas-[0-9a-f-]{36})"/.exec(`${head}\n${tail}`)?.[1];
    if (id !== undefined) this.settle(id, { kind: "too_large", bytes });
  }

  #takeProgress(params: unknown): boolean {
    if (!isObject(params)) return false;
    const { progressToken, ...progress } = params;
    if (typeof progressToken !== "string" || !progressToken.startsWith(RAW_ID_PREFIX)) return false;
    this.#waiting.get(progressToken)?.onProgress?.(progress);
    return true;
  }
}

/** Marks the ids of raw requests; the protocol client's are numbers. */
export const RAW_ID_PREFIX = "atlas-";

/** The answer in a JSON-RPC response; null when it is not one. */
export function replyOf(message: unknown): RawReply | null {
  if (!isObject(message)) return null;
  const { result, error } = message;
  if (isObject(error)) {
    const { code, message: text, data } = error;
    if (typeof code !== "number" || typeof text !== "string") return null;
    return { kind: "error", error: { code, message: text, ...(data === undefined ? {} : { data }) } };
  }
  return isObject(result) ? { kind: "result", result } : null;
}

export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether the value can be handed to the protocol client, which dispatches by shape and validates what it uses. */
export function isJsonRpcMessage(value: unknown): value is JSONRPCMessage {
  return isObject(value) && value["jsonrpc"] === "2.0";
}
