import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import {
  isJsonContentType,
  type JSONRPCMessage,
  SdkHttpError,
  StreamableHTTPClientTransport,
  type TransportSendOptions,
} from "@modelcontextprotocol/client";
import type { HttpUpstreamConfig } from "../../config/config.ts";
import { limitedStream } from "./event-stream.ts";
import {
  bodyText,
  freeWatch,
  type HttpFetchParams,
  httpExchange,
  httpFetch,
  responseOf,
  type WriteWatch,
} from "./http-fetch.ts";
import type { OverlongLine } from "./lines.ts";
import {
  type RawReply,
  type RawRequest,
  type RawTransport,
  replyOf,
  WaitingRequests,
} from "./raw-transport.ts";
import { plainReply, shortHeaders } from "./short-post.ts";

/** Carries the id of a raw request to the fetch function, which takes it off again. */
const RAW_HEADER = "x-atlas-raw-request";

/** How long an idle connection is kept for the next request. */
const KEEP_IDLE_MS = 2_000;

interface RawBody {
  readonly text: string;
  readonly watch: WriteWatch;
  /** The answer, where it came before the protocol library was asked to read it. */
  answered: Response | null;
}

/** Streamable HTTP with the operator's headers and nothing of any agent's. */
export class HttpTransport implements RawTransport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: JSONRPCMessage) => void) | undefined;
  readonly hasPerRequestStream = true;
  readonly pid = null;

  readonly #config: HttpUpstreamConfig;
  readonly #maxResultBytes: number;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #inner: StreamableHTTPClientTransport;
  readonly #shortHeaders: ReturnType<typeof shortHeaders>;
  readonly #waiting = new WaitingRequests();
  readonly #bodies = new Map<string, RawBody>();
  /** Ids of raw requests that are answered by an event stream. */
  readonly #streams = new Set<string>();
  #closed = false;

  /** @param maxResultBytes longest message that is taken */
  constructor(config: HttpUpstreamConfig, maxResultBytes: number) {
    this.#config = config;
    this.#maxResultBytes = maxResultBytes;
    this.#shortHeaders = shortHeaders(config.headers);
    const Agent = config.url.startsWith("https:") ? HttpsAgent : HttpAgent;
    // Servers close idle connections after some seconds; a call written into that moment has no known outcome.
    this.#agent = new Agent({ keepAlive: true, timeout: KEEP_IDLE_MS });
    this.#inner = new StreamableHTTPClientTransport(new URL(config.url), {
      requestInit: { headers: { ...config.headers } },
      fetch: (url, init) => this.#fetch(new URL(url), init ?? {}),
    });
    this.#inner.onclose = () => {
      this.#waiting.settleAll({ kind: "lost" });
      this.onclose?.();
    };
    this.#inner.onerror = (error) => this.onerror?.(error);
    this.#inner.onmessage = (message) => {
      if (!this.#waiting.take(message)) this.onmessage?.(message);
    };
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId;
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion(version);
  }

  async start(): Promise<void> {
    await this.#inner.start();
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    const { requestSignal, onRequestStreamEnd } = options ?? {};
    await this.#inner.send(message, {
      ...(requestSignal === undefined ? {} : { requestSignal }),
      ...(onRequestStreamEnd === undefined ? {} : { onRequestStreamEnd }),
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      const ended = this.#inner.terminateSession().catch(() => undefined);
      await Promise.race([ended, timeout(1_000)]);
    } finally {
      await this.#inner.close();
      this.#agent.destroy();
    }
  }

  async exchange(request: RawRequest): Promise<RawReply> {
    if (this.#closed) return notSent(false, true, "the connection was closed before the call was sent");
    const { promise, resolve } = Promise.withResolvers<RawReply>();
    const watch: WriteWatch = { ...freeWatch(), mayWrite: request.mayWrite };
    this.#waiting.add(request, resolve);
    this.#bodies.set(request.id, { text: request.text, watch, answered: null });
    const settle = (reply: RawReply): void => this.#waiting.settle(request.id, reply);
    const abort = (): void =>
      settle(watch.written ? { kind: "lost" } : notSent(false, false, "no connection in time"));
    request.signal.addEventListener("abort", abort, { once: true });
    if (request.signal.aborted) abort();
    else void this.#carry(request, watch, settle);
    try {
      return await promise;
    } finally {
      request.signal.removeEventListener("abort", abort);
      this.#bodies.delete(request.id);
    }
  }

  async #carry(request: RawRequest, watch: WriteWatch, settle: (reply: RawReply) => void): Promise<void> {
    try {
      const answer = await this.#postShort(request, watch);
      if (answer !== null && !(answer instanceof Response)) {
        settle(answer);
        return;
      }
      const waiting = this.#bodies.get(request.id);
      if (waiting !== undefined) waiting.answered = answer;
    } catch (error) {
      settle(this.#failure(error, watch));
      return;
    }
    await this.#post(request, watch, settle);
  }

  /**
   * Posts a call without the protocol library, and reads a plain answer.
   *
   * @returns an answer for the library to read, or null when nothing was posted and all is left to it
   * @throws AtlasError when no answer came
   */
  async #postShort(request: RawRequest, watch: WriteWatch): Promise<RawReply | Response | null> {
    const { sessionId } = this;
    const { protocolVersion } = this.#inner;
    const headers = this.#shortHeaders?.(request, { sessionId, protocolVersion }) ?? null;
    if (headers === null) return null;
    const url = new URL(this.#config.url);
    const params = this.#fetchParams({ url, headers, body: request.text, signal: request.signal, watch });
    const answer = await httpExchange({ ...params, method: "POST" });
    if (answer.statusCode !== 200 || !isJsonContentType(answer.headers["content-type"] ?? null))
      return this.#streamed(responseOf(answer, params), request.id);
    const text = await bodyText(answer, params);
    const type = { "content-type": "application/json" };
    return plainReply(text, request.id) ?? new Response(text, { headers: type });
  }

  async #post(request: RawRequest, watch: WriteWatch, settle: (reply: RawReply) => void): Promise<void> {
    // The SDK derives headers from this; the body is replaced by the exact text.
    const message: JSONRPCMessage = {
      jsonrpc: "2.0",
      id: request.id,
      method: request.method,
      params: {
        ...(request.routing.name === undefined ? {} : { name: request.routing.name }),
        ...(request.routing.uri === undefined ? {} : { uri: request.routing.uri }),
        _meta: { ...request.routing.meta },
      },
    };
    let streamed = false;
    try {
      await this.#inner.send(message, {
        headers: { ...request.headers, [RAW_HEADER]: request.id },
        requestSignal: request.signal,
        onRequestStreamEnd: () => settle({ kind: "lost" }),
      });
      streamed = this.#streams.delete(request.id);
    } catch (error) {
      settle(this.#failure(error, watch));
      return;
    }
    // Everything but a stream was read to its end; what is not answered now never will be.
    if (!streamed) settle({ kind: "lost" });
  }

  #failure(error: unknown, watch: WriteWatch): RawReply {
    if (!watch.written) {
      const detail = watch.late
        ? "the time to send the call had passed"
        : "the upstream could not be reached";
      return notSent(watch.late, false, detail);
    }
    if (watch.tooLarge && watch.status === 200) return { kind: "too_large", bytes: this.#maxResultBytes };
    if (!(error instanceof SdkHttpError)) return { kind: "lost" };
    // The specification's answer to a session the server does not know; it has then not looked at the call.
    if (error.data.status === 404 && this.sessionId !== undefined) {
      return notSent(false, true, "the upstream had forgotten the session");
    }
    return rpcErrorIn(error.data["text"]) ?? { kind: "lost" };
  }

  async #fetch(url: URL, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    const id = headers.get(RAW_HEADER);
    headers.delete(RAW_HEADER);
    const raw = id === null ? undefined : this.#bodies.get(id);
    if (id !== null && raw === undefined) throw new Error("nobody waits for this request any more");
    if (raw?.answered) return raw.answered;
    if (raw?.watch.written === true) throw new Error("a call is written once");
    const params = this.#fetchParams({
      url,
      headers,
      body: raw?.text ?? (typeof init.body === "string" ? init.body : null),
      signal: init.signal ?? null,
      watch: raw?.watch ?? freeWatch(),
    });
    return this.#streamed(await httpFetch({ ...params, method: init.method ?? "GET" }), id);
  }

  #fetchParams(params: Pick<HttpFetchParams, "url" | "headers" | "body" | "signal" | "watch">) {
    return {
      ...params,
      agent: this.#agent,
      connectDeadlineMs: this.#config.connectDeadlineMs,
      maxAnswerBytes: this.#maxResultBytes,
    };
  }

  /** @param id of the raw request that is answered; null for the library's own */
  #streamed(response: Response, id: string | null): Response {
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (id !== null && response.ok && isStream) this.#streams.add(id);
    if (!isStream || response.body === null) return response;
    const onOverlong = (line: OverlongLine): void => this.#waiting.takeOverlong(line);
    return new Response(
      limitedStream(response.body, { maxBytes: this.#maxResultBytes, onOverlong }),
      response,
    );
  }
}

function notSent(late: boolean, stale: boolean, detail: string): RawReply {
  return { kind: "not_sent", late, stale, detail };
}

function rpcErrorIn(text: unknown): RawReply | null {
  if (typeof text !== "string") return null;
  try {
    const reply = replyOf(JSON.parse(text));
    return reply?.kind === "error" ? reply : null;
  } catch {
    // A page of some proxy: the server's word on the call is not in it.
    return null;
  }
}

async function timeout(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, ms).unref();
  await promise;
}
