import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { type Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { AtlasError } from "../../domain/errors.ts";
import { codeOf } from "./child-process.ts";

/** Filled in by one HTTP request, so that its caller knows what the upstream can have seen. */
export interface WriteWatch {
  /** Asked when the connection stands and nothing has been written yet. */
  readonly mayWrite: () => boolean;
  written: boolean;
  late: boolean;
  /** Status of the answer; null when none came. */
  status: number | null;
  /** The answer broke off because it was longer than is taken. */
  tooLarge: boolean;
}

export interface HttpFetchParams {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers | Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly signal: AbortSignal | null;
  readonly agent: HttpAgent | HttpsAgent;
  /** For establishing the connection; an answer may take longer. */
  readonly connectDeadlineMs: number;
  /** Answers that are longer break off; streams of events do not. */
  readonly maxAnswerBytes: number;
  readonly watch: WriteWatch;
}

/**
 * One HTTP request in the shape of `fetch`. Unlike `fetch` it tells whether anything was written,
 * asks for leave when the connection stands, has no time limit of its own on answers, and follows no redirect.
 *
 * @throws AtlasError when no answer came; the message holds a system error code and nothing of the request.
 */
export async function httpFetch(params: HttpFetchParams): Promise<Response> {
  return responseOf(await httpExchange(params), params);
}

/** The same without the shape of `fetch`: the answer's head has come, and its body waits to be read. @throws AtlasError likewise */
export async function httpExchange(params: HttpFetchParams): Promise<IncomingMessage> {
  const { watch } = params;
  const kept = { reused: false };
  let response: IncomingMessage;
  try {
    response = await send(params, params.agent, kept);
  } catch (error) {
    // A kept connection turned out to be dead before anything was written on it.
    if (!kept.reused || watch.written || watch.late || params.signal?.aborted === true) throw error;
    response = await send(params, false, kept);
  }
  watch.status = response.statusCode ?? 0;
  return response;
}

/** @throws AtlasError for a redirect, which is not followed */
export function responseOf(
  response: IncomingMessage,
  params: Pick<HttpFetchParams, "maxAnswerBytes" | "watch">,
): Response {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400 && status !== 304) {
    response.destroy();
    throw new AtlasError(
      "upstream.unreachable",
      "the upstream answered with a redirect, which is not followed",
    );
  }
  return new Response(hasBody(status) ? webStream(response, params) : null, {
    status,
    statusText: response.statusMessage ?? "",
    headers: responseHeaders(response),
  });
}

/** @param agent false for a connection of its own */
async function send(
  params: HttpFetchParams,
  agent: HttpAgent | HttpsAgent | false,
  kept: { reused: boolean },
): Promise<IncomingMessage> {
  const { url, watch } = params;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const secure = url.protocol === "https:";
  const headers: Record<string, string> = Object.fromEntries(
    params.headers instanceof Headers ? params.headers : Object.entries(params.headers),
  );
  if (params.body !== null) headers["content-length"] = String(Buffer.byteLength(params.body));
  const signal = params.signal === null ? {} : { signal: params.signal };
  const request = (secure ? httpsRequest : httpRequest)(url, {
    method: params.method,
    headers,
    agent,
    ...signal,
  });
  const connectTimer = setTimeout(() => {
    request.destroy(
      new AtlasError("upstream.unreachable", `no connection within ${params.connectDeadlineMs} ms`),
    );
  }, params.connectDeadlineMs);
  request.once("response", resolve);
  request.once("close", () => clearTimeout(connectTimer));
  request.on("error", (error) => {
    reject(
      error instanceof AtlasError
        ? error
        : new AtlasError("upstream.unreachable", `the request failed (${codeOf(error)})`),
    );
  });
  const write = (): void => {
    clearTimeout(connectTimer);
    if (request.destroyed) return;
    if (watch.mayWrite()) {
      watch.written = true;
      request.end(params.body ?? undefined);
    } else {
      watch.late = true;
      request.destroy();
    }
  };
  request.once("socket", (socket) => {
    kept.reused = request.reusedSocket;
    // A kept connection that the other side closed shows it at the next look at the network.
    if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", write);
    else setImmediate(write);
  });
  return await promise;
}

function hasBody(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304;
}

/**
 * The body of an answer that is not a stream, as text.
 *
 * @throws AtlasError when it breaks off, or is longer than is taken
 */
export function bodyText(
  response: IncomingMessage,
  params: Pick<HttpFetchParams, "maxAnswerBytes" | "watch">,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    chunks.push(chunk);
    if (bytes <= params.maxAnswerBytes) return;
    params.watch.tooLarge = true;
    reject(new AtlasError("upstream.unreachable", `the answer exceeded ${params.maxAnswerBytes} bytes`));
    response.destroy();
  });
  // A byte order mark is dropped, and what is no UTF-8 is replaced, as `fetch` does.
  response.once("end", () => resolve(new TextDecoder().decode(Buffer.concat(chunks))));
  const broken = (): void => reject(new AtlasError("upstream.unreachable", "the answer broke off"));
  response.on("error", broken);
  response.once("close", broken);
  return promise;
}

/** The body for one reader. A break in mid-answer is the reader's error and nobody else's. */
function webStream(
  response: IncomingMessage,
  params: Pick<HttpFetchParams, "maxAnswerBytes" | "watch">,
): ReadableStream<Uint8Array> {
  // Streams have no end and no limit, but for their lines, which the reader bounds.
  const isStream = response.headers["content-type"]?.startsWith("text/event-stream") === true;
  const maxBytes = isStream ? Number.POSITIVE_INFINITY : params.maxAnswerBytes;
  let bytes = 0;
  let settled = false;
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      const settle = (end: () => void): void => {
        if (!settled) end();
        settled = true;
      };
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (settled) return;
        if (bytes <= maxBytes) {
          controller.enqueue(chunk);
          if ((controller.desiredSize ?? 0) <= 0) response.pause();
          return;
        }
        params.watch.tooLarge = true;
        settle(() =>
          controller.error(new AtlasError("upstream.unreachable", `the answer exceeded ${maxBytes} bytes`)),
        );
        response.destroy();
      });
      response.once("end", () => settle(() => controller.close()));
      const broken = (): void =>
        settle(() => controller.error(new AtlasError("upstream.unreachable", "the answer broke off")));
      response.on("error", broken);
      response.once("close", broken);
    },
    pull: () => {
      response.resume();
    },
    cancel: () => {
      settled = true;
      response.destroy();
    },
  });
}

function responseHeaders(response: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < response.rawHeaders.length; at += 2) {
    headers.append(response.rawHeaders[at] ?? "", response.rawHeaders[at + 1] ?? "");
  }
  return headers;
}

/** The watch of a request that may always be written. */
export function freeWatch(): WriteWatch {
  return { mayWrite: () => true, written: false, late: false, status: null, tooLarge: false };
}
