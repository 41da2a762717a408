import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  answerFrame,
  type CountingHttp,
  type CountingOptions,
  DIE,
  notification,
  readBody,
  sendEvent,
  watchControl,
} from "./counting-upstream.ts";

/** The counting server over the HTTP+SSE transport of 2024-11-05, on a loopback port of the system's choice. */
export async function startCountingSse(
  options: CountingOptions & { readonly port?: number },
): Promise<Pick<CountingHttp, "url" | "port" | "close">> {
  const streams = new Map<string, ServerResponse>();
  const server = createServer((request, response) => {
    void serve(request, response, { options, streams }).catch(() => response.destroy());
  });
  watchControl(options, () => {
    for (const stream of streams.values())
      sendEvent(stream, notification("notifications/tools/list_changed", {}));
  });
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/sse`,
    port: address.port,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

interface Context {
  readonly options: CountingOptions;
  readonly streams: Map<string, ServerResponse>;
}

async function serve(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { options, streams } = context;
  const url = new URL(request.url ?? "/", "http://localhost");
  if (request.method === "GET") {
    const id = String(streams.size + 1);
    streams.set(id, response);
    response.once("close", () => streams.delete(id));
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`event: endpoint\ndata: /messages?session=${id}\n\n: a comment\n\n`);
    return;
  }
  const stream = streams.get(url.searchParams.get("session") ?? "");
  if (request.method !== "POST" || stream === undefined) return void response.writeHead(404).end();
  const frame = await readBody(request);
  response.writeHead(202).end("Accepted");
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  stream.once("close", abort);
  const notify = (method: string, params: object): void =>
    sendEvent(stream, notification(method, { ...params }));
  const answer = await answerFrame({ options, frame, headers: request.headers, notify, gone: gone.signal });
  stream.off("close", abort);
  if (answer === null) return;
  if (answer === DIE) stream.destroy();
  else if (typeof answer === "string") sendEvent(stream, answer);
  else stream.write(`event: message\ndata: ${answer.half}`, () => stream.destroy());
}
