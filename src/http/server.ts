import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { AtlasError } from "../domain/errors.ts";
import type { HttpApp } from "./app.ts";
import type { NodeHandler } from "./short-way.ts";

/** How long requests that are being answered may still take when the server closes. */
const CLOSE_WITHIN_MS = 5_000;

export interface HttpServerParams {
  readonly fetch: HttpApp["fetch"];
  /** Sees every request first. */
  readonly first?: NodeHandler;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly closeWithinMs?: number;
}

export interface HttpServer {
  /** Where a client on this machine reaches it, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Takes no new requests, ends live streams, waits for what is being answered, then cuts what is left. */
  close(): Promise<void>;
}

/** @throws AtlasError `config.invalid` when host or port cannot be had. */
export async function startHttpServer(params: HttpServerParams): Promise<HttpServer> {
  const answer = getRequestListener(params.fetch, { overrideGlobalObjects: false });
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    if (isEventStream(request)) {
      streams.add(response);
      response.once("close", () => streams.delete(response));
    }
    const rest = (): void => void answer(request, response);
    if (params.first === undefined) rest();
    else params.first(request, response, rest);
  });
  await listen(server, params);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : params.port;
  let closing: Promise<void> | undefined;
  return {
    url: `http://${urlHost(params.host)}:${port}`,
    port,
    close: () => {
      closing ??= close(server, streams, params);
      return closing;
    },
  };
}

/** A stream that a client opened to listen has no end to wait for; its client comes back by itself. */
function isEventStream(request: IncomingMessage): boolean {
  return request.method === "GET" && (request.headers.accept ?? "").includes("text/event-stream");
}

function listen(server: Server, { host, port }: HttpServerParams): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        new AtlasError("config.invalid", listenProblem(error.code ?? "unknown error", host, port), {
          cause: error,
        }),
      );
    });
    server.listen({ host, port }, resolve);
  });
}

function listenProblem(code: string, host: string, port: number): string {
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} on ${host} is taken. Stop what uses it, or choose another port with --port.`;
    case "EACCES":
      return `This user may not listen on port ${port}. Choose a port above 1023 with --port.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `This machine has no address ${host} to listen on. Set the host to 127.0.0.1, or to an address it has.`;
    default:
      return `The gateway cannot listen on ${host}, port ${port} (${code}).`;
  }
}

async function close(
  server: Server,
  streams: ReadonlySet<ServerResponse>,
  params: HttpServerParams,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // A connection that is kept alive becomes idle only when its last answer is out.
  server.on("request", (_request, response) => response.once("close", () => server.closeIdleConnections()));
  for (const stream of streams) stream.destroy();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), params.closeWithinMs ?? CLOSE_WITHIN_MS);
  try {
    await closed;
  } finally {
    clearTimeout(cut);
  }
}

/** An address that listens everywhere is not one to connect to. */
function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
