import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type SdkSseUpstream, startSdkSseUpstream } from "../../../test/servers/sdk-sse-upstream.ts";
import {
  createRecordingLog,
  createUpstreamBench,
  type UpstreamBench,
} from "../../../test/servers/upstream-bench.ts";
import { systemClock } from "../../domain/clock.ts";
import { type Connection, openConnection } from "./connection.ts";

let bench: UpstreamBench;
let connection: Connection | null;
let sdk: SdkSseUpstream | null;
let server: Server | null;

beforeEach(() => {
  bench = createUpstreamBench();
  connection = null;
  sdk = null;
  server = null;
});
afterEach(async () => {
  await connection?.close();
  await sdk?.close();
  server?.closeAllConnections();
  server?.close();
  bench.dispose();
});

async function open(url: string, headers: Record<string, string> = {}): Promise<Connection> {
  connection = await openConnection({
    config: bench.http(url, { transport: "sse", headers, connectDeadlineMs: 5_000 }),
    clock: systemClock,
    log: createRecordingLog(),
    era: { verdict: null },
    probe: true,
    client: null,
    maxResultBytes: 1024 * 1024,
  });
  return connection;
}

/** A server that answers every GET as told. */
async function serving(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => {
    server?.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}/sse` : "";
}

const call = (tool: string, argumentsText = "{}") => ({
  tool,
  argumentsText,
  metaText: null,
  dispatchByMonotonicMs: systemClock.monotonicMs() + 60_000,
});

test("speaks with a server of the SDK's first version", async () => {
  sdk = await startSdkSseUpstream();
  const opened = await open(sdk.url);
  expect(await opened.listTools()).toHaveLength(3);
  expect(await opened.dispatch(call("echo", '{"words":"a\\u0041"}'))).toMatchObject({
    outcome: { kind: "answered", result: { content: [{ text: "aA" }] } },
  });
});

test("sends the operator's headers with the GET and with every POST, and no others of ours", async () => {
  sdk = await startSdkSseUpstream();
  await (await open(sdk.url, { authorization: "Bearer operator" })).dispatch(call("connection"));
  expect(sdk.requests.map(({ method }) => method)).toEqual(["GET", "POST", "POST", "POST"]);
  for (const { headers } of sdk.requests) {
    expect(headers["authorization"]).toBe("Bearer operator");
    expect(Object.keys(headers).filter((name) => name.startsWith("x-"))).toEqual([]);
  }
});

test.each([
  ["another origin", "http://127.0.0.1:9/messages"],
  ["another host with our path", "//evil.example/messages"],
  ["another scheme", "https://127.0.0.1/messages"],
  ["nothing that is an address", "http://"],
])("does not post to an address of %s", async (_what, endpoint) => {
  const methods: (string | undefined)[] = [];
  const url = await serving((request, response) => {
    methods.push(request.method);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`event: endpoint\ndata: ${endpoint}\n\n`);
  });
  await expect(open(url)).rejects.toThrow("the upstream named an address of another origin for messages");
  expect(methods).toEqual(["GET"]);
});

test("a stream that names a second address is closed", async () => {
  let post = (): void => undefined;
  const url = await serving((request, response) => {
    if (request.method === "POST") {
      post();
      response.writeHead(202).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("event: endpoint\ndata: /messages\n\n");
    post = () => response.write("event: endpoint\ndata: /elsewhere\n\n");
  });
  await expect(open(url)).rejects.toThrow(/could not be reached/);
});

test.each([
  ["a page", 200, "text/html", "something other than an event stream"],
  ["a 404", 404, "text/plain", "HTTP status 404"],
  ["a 401", 401, "text/event-stream", "HTTP status 401"],
  ["a redirect", 302, "text/event-stream", "redirect"],
])("%s in place of the stream is said", async (_what, status, type, words) => {
  const url = await serving((_request, response) => {
    response.writeHead(status, { "content-type": type, location: "/other" }).end("x");
  });
  await expect(open(url)).rejects.toThrow(words);
});

test("a stream that ends before it names an address is said", async () => {
  const url = await serving((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).end(": nothing\n\n");
  });
  await expect(open(url)).rejects.toThrow("the event stream ended");
});

/** A server that shakes hands and then answers the POST of a call as told. */
async function answeringCalls(status: number, body: string): Promise<string> {
  let write = (_text: string): unknown => undefined;
  return serving((request, response) => {
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("event: endpoint\ndata: /messages\n\n");
      write = (text) => response.write(`event: message\ndata: ${text}\n\n`);
      return;
    }
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const message: { id?: unknown; method: string } = JSON.parse(text);
      if (message.method === "tools/call") return response.writeHead(status).end(body);
      const result = {
        protocolVersion: "2024-11-05",
        capabilities: {},
        serverInfo: { name: "odd", version: "1" },
      };
      if (message.id !== undefined) write(JSON.stringify({ jsonrpc: "2.0", id: message.id, result }));
      return response.writeHead(202).end();
    });
  });
}

const rpcError = '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no"}}';
test.each([
  [
    "a 400 with a JSON-RPC error",
    400,
    rpcError,
    { kind: "protocol_error", error: { code: -32000, message: "no" } },
  ],
  ["a 500 with a page", 500, "<html>", { kind: "no_answer", cause: "disconnected" }],
  ["a 404", 404, "", { kind: "no_answer", cause: "disconnected" }],
  ["a redirect", 307, "", { kind: "no_answer", cause: "disconnected" }],
])("a call whose POST is answered with %s", async (_what, status, body, expected) => {
  const opened = await open(await answeringCalls(status, body));
  expect((await opened.dispatch(call("x"))).outcome).toEqual(expected);
});

test("the end of the stream ends the connection", async () => {
  sdk = await startSdkSseUpstream();
  const opened = await open(sdk.url);
  await sdk.close();
  await opened.closed;
  await vi.waitFor(() => expect(opened.isOpen()).toBe(false));
  expect(await opened.dispatch(call("connection"))).toMatchObject({
    outcome: { kind: "not_sent" },
    stale: true,
  });
});
