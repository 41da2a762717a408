import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as it reached the upstream. */
export interface SeenRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A hand-written HTTP upstream whose tools answer in every form there is, and that keeps what it was sent, byte for byte. */
export interface ScriptedUpstream {
  readonly url: string;
  /** Tool calls that came with this value in `x-gateway`, in order; the list starts anew. */
  take(gateway: string): readonly SeenRequest[];
  /** Tool calls of `wait` that were taken back, or whose connection ended. */
  readonly left: readonly string[];
  close(): Promise<void>;
}

const OBJECT = { type: "object" } as const;

export const TOOLS: readonly { readonly name: string; readonly [key: string]: unknown }[] = [
  { name: "echo", inputSchema: OBJECT },
  { name: "streamed", inputSchema: OBJECT },
  { name: "progressing", inputSchema: OBJECT },
  { name: "failing", inputSchema: OBJECT },
  { name: "faulty", inputSchema: OBJECT },
  { name: "odd_result", inputSchema: OBJECT },
  { name: "structured", inputSchema: OBJECT, outputSchema: OBJECT },
  { name: "broken_page", inputSchema: OBJECT },
  { name: "silent", inputSchema: OBJECT },
  {
    name: "strict",
    inputSchema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
  },
  { name: "reviewed", inputSchema: OBJECT },
  { name: "denied", inputSchema: OBJECT },
  { name: "wait", inputSchema: OBJECT },
];

type Call = {
  readonly id: string;
  readonly params: {
    readonly name: string;
    readonly arguments: unknown;
    readonly _meta?: { progressToken?: string };
  };
};

export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const seen = new Map<string, SeenRequest[]>();
  const left: string[] = [];
  const server = createServer((request, response) => void serve(request, response, seen, left));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    take(gateway) {
      const requests = seen.get(gateway) ?? [];
      seen.delete(gateway);
      return requests;
    },
    left,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  seen: Map<string, SeenRequest[]>,
  left: string[],
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  if (request.method !== "POST") {
    response.writeHead(405).end();
    return;
  }
  const message = JSON.parse(body) as { id?: string; method: string; params: Record<string, unknown> };
  if (message.method === "notifications/cancelled") left.push(String(message.params["requestId"]));
  if (message.id === undefined) {
    response.writeHead(202).end();
    return;
  }
  if (message.method !== "tools/call") {
    json(response, { jsonrpc: "2.0", id: message.id, ...setup(message.method) });
    return;
  }
  const gateway = String(request.headers["x-gateway"]);
  const requests = seen.get(gateway) ?? [];
  seen.set(gateway, requests);
  requests.push({ method: request.method, headers: { ...request.headers }, body });
  answerCall(message as unknown as Call, response, left);
}

function setup(method: string): object {
  switch (method) {
    case "initialize":
      return {
        result: {
          protocolVersion: "2025-06-18",
          capabilities: { tools: {} },
          serverInfo: { name: "scripted", version: "1" },
        },
      };
    case "tools/list":
      return { result: { tools: TOOLS } };
    default:
      return { error: { code: -32601, message: "Method not found" } };
  }
}

function answerCall({ id, params }: Call, response: ServerResponse, left: string[]): void {
  const result = { content: [{ type: "text", text: JSON.stringify(params.arguments) }] };
  const answer = { jsonrpc: "2.0", id, result };
  switch (params.name) {
    case "streamed":
      events(response, [{ method: "notifications/message", params: { level: "info", data: 1 } }, answer]);
      return;
    case "progressing": {
      const progressToken = params._meta?.progressToken;
      const steps =
        progressToken === undefined ? [] : [1, 2].map((progress) => ({ progress, total: 2, progressToken }));
      events(response, [
        ...steps.map((step) => ({ method: "notifications/progress", params: step })),
        answer,
      ]);
      return;
    }
    case "failing":
      json(response, { ...answer, result: { ...result, isError: true } });
      return;
    case "faulty":
      json(response, {
        jsonrpc: "2.0",
        id,
        error: { code: -32002, message: "nö", data: { a: [1, 2.5e-7] } },
      });
      return;
    case "odd_result":
      json(response, {
        ...answer,
        result: {
          ...result,
          _meta: { v: 1 },
          vendor: { b: 1, a: 2 },
          content: [{ type: "vendor/block", x: "é" }],
        },
      });
      return;
    case "structured":
      json(response, { ...answer, result: { ...result, structuredContent: params.arguments } });
      return;
    case "broken_page":
      response.writeHead(502, { "content-type": "text/html" }).end("<h1>no</h1>");
      return;
    case "silent":
      response.destroy();
      return;
    case "wait":
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      response.once("close", () => left.push(id));
      return;
    default:
      json(response, answer);
  }
}

function json(response: ServerResponse, message: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(message));
}

function events(response: ServerResponse, messages: readonly object[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const message of messages) {
    response.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`);
  }
  response.end();
}
