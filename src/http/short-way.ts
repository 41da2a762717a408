import type { IncomingMessage, ServerResponse } from "node:http";
import type { Config } from "../config/config.ts";
import type { Log } from "../telemetry/log.ts";
import { allowedHost, hostsOf, MAX_BODY_BYTES, securityHeaderList } from "./front-door.ts";
import type { GatewayStatus } from "./routes/health.ts";

/** One request, as plain as Node hands it over, and the way to answer it with an event stream. */
export interface PlainExchange {
  header(name: string): string | undefined;
  body(): Promise<Uint8Array>;
  write(text: string, headers: Readonly<Record<string, string>>): void;
  end(text: string, headers: Readonly<Record<string, string>>): void;
  onGone(listener: () => void): void;
}

export interface ShortWayDeps {
  readonly config: Pick<Config, "publicUrl" | "publicPath" | "listen">;
  readonly status: () => GatewayStatus;
  readonly log: Log;
  /** @returns false when the request is for the other way; nothing was answered then */
  readonly take: (exchange: PlainExchange) => Promise<boolean>;
}

/** Answers a request without the frameworks, or passes it on to them as it came. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse, longWay: () => void) => void;

/**
 * In front of everything else: tool calls that pass each check of the front door without a question are taken out of
 * the stream of requests here. What fails one is refused by the front door itself, which has the words for it.
 */
export function createShortWay(deps: ShortWayDeps): NodeHandler {
  const paths = new Set(["/mcp", `${deps.config.publicPath}/mcp`]);
  const isAllowedHost = allowedHost(hostsOf(deps.config));
  const mayPass = ({ method, url, headers }: IncomingMessage): boolean =>
    method === "POST" &&
    paths.has(url ?? "") &&
    headers.origin === undefined &&
    headers.expect === undefined &&
    headers["transfer-encoding"] === undefined &&
    isJson(headers["content-type"]) &&
    Number(headers["content-length"] ?? Number.NaN) <= MAX_BODY_BYTES &&
    isAllowedHost(headers.host ?? "") &&
    deps.status().phase !== "stopping";

  return (request, response, longWay) => {
    if (!mayPass(request)) longWay();
    else void take(request, response, longWay, deps);
  };
}

function isJson(contentType: string | undefined): boolean {
  return contentType === "application/json" || contentType === "application/json; charset=utf-8";
}

async function take(
  request: IncomingMessage,
  response: ServerResponse,
  longWay: () => void,
  { take: takeExchange, log }: ShortWayDeps,
): Promise<void> {
  const startedMs = performance.now();
  const exchange = exchangeOf(request, response);
  try {
    if (!(await takeExchange(exchange))) {
      longWay();
      return;
    }
    const { method } = request;
    const ms = Math.round(performance.now() - startedMs);
    log.debug({ method, path: "/mcp", status: response.statusCode, ms }, "Request answered.");
  } catch (error) {
    // A client that broke off in mid-request is nobody to answer; of all else the operator hears.
    if (!request.destroyed || request.complete) log.error({ error }, "a tool call could not be answered");
    response.destroy();
  }
}

function exchangeOf(request: IncomingMessage, response: ServerResponse): PlainExchange {
  const begin = (headers: Readonly<Record<string, string>>): void => {
    if (response.headersSent) return;
    response.writeHead(200, [...STREAM_HEADERS, ...Object.entries(headers).flat()]);
  };
  return {
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    body: async () => {
      const body = await bodyOf(request);
      // Where the frameworks look for a body that was read already.
      Object.assign(request, { rawBody: body });
      return body;
    },
    write: (text, headers) => {
      if (response.destroyed || response.writableEnded) return;
      begin(headers);
      response.write(text);
    },
    end: (text, headers) => {
      if (response.destroyed) return;
      begin({ ...headers, "content-length": String(Buffer.byteLength(text)) });
      response.end(text);
    },
    onGone: (listener) => {
      response.once("close", () => {
        if (!response.writableFinished) listener();
      });
    },
  };
}

/** The headers of every answer, and those of event streams that no proxy should hold up. */
const STREAM_HEADERS: readonly string[] = [
  ["content-type", "text/event-stream"],
  ["cache-control", "no-cache, no-transform"],
  ["connection", "keep-alive"],
  ["x-accel-buffering", "no"],
  ...securityHeaderList,
].flat();

/** @throws Error when the client broke off */
function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.once("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
  request.once("error", reject);
  request.once("close", () => reject(new Error("the request broke off")));
  return promise;
}
