import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { JSONRPCMessage } from "@modelcontextprotocol/client";
import type { HttpUpstreamConfig } from "../../config/config.ts";
import { AtlasError } from "../../domain/errors.ts";
import { readEvents } from "./event-stream.ts";
import { freeWatch, httpFetch, type WriteWatch } from "./http-fetch.ts";
import {
  isJsonRpcMessage,
  type RawReply,
  type RawRequest,
  type RawTransport,
  replyOf,
  WaitingRequests,
} from "./raw-transport.ts";

/** An answer to a POST only says that it was taken. */
const MAX_POST_ANSWER_BYTES = 64 * 1024;

/**
 * The HTTP+SSE transport of protocol 2024-11-05: answers come on one event stream, requests go as POSTs to the address
 * that its first event names. With the operator's headers on both, and nothing of any agent's.
 */
export class SseTransport implements RawTransport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: JSONRPCMessage) => void) | undefined;
  readonly pid = null;

  readonly #config: HttpUpstreamConfig;
  readonly #maxResultBytes: number;
  /** The stream keeps a connection of its own; this one is for POSTs. */
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #waiting = new WaitingRequests();
  readonly #stop = new AbortController();
  #endpoint: URL | null = null;
  #ended = false;

  /** @param maxResultBytes longest message that is taken */
  constructor(config: HttpUpstreamConfig, maxResultBytes: number) {
    this.#config = config;
    this.#maxResultBytes = maxResultBytes;
    const Agent = config.url.startsWith("https:") ? HttpsAgent : HttpAgent;
    this.#agent = new Agent({ keepAlive: true, timeout: 2_000 });
  }

  /** @throws AtlasError when there is no event stream, or its first event names no address of the same server. */
  async start(): Promise<void> {
    const response = await this.#fetch(
      "GET",
      new URL(this.#config.url),
      null,
      freeWatch(),
      this.#stop.signal,
    );
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (!response.ok || !isStream || response.body === null) {
      await response.body?.cancel();
      const what = response.ok ? "something other than an event stream" : `HTTP status ${response.status}`;
      throw new AtlasError("upstream.unreachable", `the upstream answered with ${what}`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<URL>();
    void this.#read(response.body, resolve).then(reject, reject);
    this.#endpoint = await promise;
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const response = await this.#post(JSON.stringify(message), freeWatch(), null);
    await response.body?.cancel();
    if (!response.ok) throw new AtlasError("upstream.unreachable", `HTTP status ${response.status}`);
  }

  async exchange(request: RawRequest): Promise<RawReply> {
    if (this.#ended) return notSent(false, true, "the connection was closed before the call was sent");
    const { promise, resolve } = Promise.withResolvers<RawReply>();
    const watch: WriteWatch = { ...freeWatch(), mayWrite: request.mayWrite };
    this.#waiting.add(request, resolve);
    const settle = (reply: RawReply): void => this.#waiting.settle(request.id, reply);
    const abort = (): void =>
      settle(watch.written ? { kind: "lost" } : notSent(false, false, "no connection in time"));
    request.signal.addEventListener("abort", abort, { once: true });
    if (request.signal.aborted) abort();
    else void this.#deliver(request, watch, settle);
    try {
      return await promise;
    } finally {
      request.signal.removeEventListener("abort", abort);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#end();
  }

  /** Sends a call; its answer comes on the stream, or never. */
  async #deliver(request: RawRequest, watch: WriteWatch, settle: (reply: RawReply) => void): Promise<void> {
    try {
      const response = await this.#post(request.text, watch, request.signal);
      if (response.ok) await response.body?.cancel();
      else settle(rpcErrorIn(await response.text()) ?? { kind: "lost" });
    } catch {
      const detail = watch.late
        ? "the time to send the call had passed"
        : "the upstream could not be reached";
      if (!watch.written) settle(notSent(watch.late, false, detail));
      // A POST that broke before it was answered may have been taken all the same; then the stream brings the answer.
      else if (watch.status !== null) settle({ kind: "lost" });
    }
  }

  async #read(body: ReadableStream<Uint8Array>, onEndpoint: (address: URL) => void): Promise<AtlasError> {
    let problem = new AtlasError("upstream.unreachable", "the event stream ended");
    try {
      const onOverlong = this.#waiting.takeOverlong.bind(this.#waiting);
      for await (const { event, data } of readEvents(body, { maxBytes: this.#maxResultBytes, onOverlong })) {
        if (event === "endpoint") onEndpoint(this.#addressIn(data));
        else if (event === "message") this.#receive(data);
      }
    } catch (error) {
      if (error instanceof AtlasError) problem = error;
    }
    this.#stop.abort();
    this.#end();
    return problem;
  }

  /** @throws AtlasError for an address elsewhere: the operator's credentials and every call would go there. */
  #addressIn(text: string): URL {
    const base = new URL(this.#config.url);
    const address = URL.canParse(text, base.href) ? new URL(text, base) : null;
    if (address?.origin === base.origin && this.#endpoint === null) return address;
    const problem = this.#endpoint === null ? "an address of another origin" : "a second address";
    throw new AtlasError("upstream.unreachable", `the upstream named ${problem} for messages`);
  }

  #receive(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      this.onerror?.(new Error("an event that is not JSON"));
      return;
    }
    if (this.#waiting.take(message)) return;
    if (isJsonRpcMessage(message)) this.onmessage?.(message);
  }

  async #post(text: string, watch: WriteWatch, signal: AbortSignal | null): Promise<Response> {
    if (this.#endpoint === null || this.#ended) throw new Error("the connection to the upstream is closed");
    const stop = this.#stop.signal;
    return await this.#fetch(
      "POST",
      this.#endpoint,
      text,
      watch,
      signal === null ? stop : AbortSignal.any([signal, stop]),
    );
  }

  #fetch(
    method: "GET" | "POST",
    url: URL,
    body: string | null,
    watch: WriteWatch,
    signal: AbortSignal,
  ): Promise<Response> {
    const headers = new Headers(this.#config.headers);
    headers.set("accept", method === "GET" ? "text/event-stream" : "application/json");
    if (body !== null) headers.set("content-type", "application/json");
    const { connectDeadlineMs } = this.#config;
    const maxAnswerBytes = MAX_POST_ANSWER_BYTES;
    return httpFetch({
      url,
      method,
      headers,
      body,
      signal,
      agent: this.#agent,
      connectDeadlineMs,
      maxAnswerBytes,
      watch,
    });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting.settleAll({ kind: "lost" });
    this.#agent.destroy();
    this.onclose?.();
  }
}

function notSent(late: boolean, stale: boolean, detail: string): RawReply {
  return { kind: "not_sent", late, stale, detail };
}

/** The server's own refusal, if it is one; a page of some proxy is not. */
function rpcErrorIn(text: string): RawReply | null {
  try {
    const reply = replyOf(JSON.parse(text));
    return reply?.kind === "error" ? reply : null;
  } catch {
    return null;
  }
}
