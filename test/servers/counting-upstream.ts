/**
 * An MCP server written by hand, byte for byte, for tests: it counts what reaches it.
 *
 * As a process: `node counting-upstream.ts --record FILE [--control FILE] [--page SIZE] [--http PORT]
 * [--era legacy|modern] [--spawn-child FILE] [--ignore-end]`; with `--http` the URL is printed on stdout.
 * In a test: `startCountingHttp({ recordFile })`.
 */
import { spawn } from "node:child_process";
import { closeSync, fsyncSync, openSync, readFileSync, watchFile, writeFileSync, writeSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { answerCall, type CallAnswer, isObject, type JsonObject, listDefinitions } from "./counting-tools.ts";
import { rawValue } from "./raw-frame.ts";

export type Era = "legacy" | "modern";

export interface CountingOptions {
  /** Gets one JSON line for each `tools/call` that was carried out. */
  readonly recordFile: string;
  /** Changes definitions at run time; see `listDefinitions`. */
  readonly controlFile?: string | null;
  /** Tools a page of the list; all on one page without it. */
  readonly pageSize?: number;
  readonly era?: Era;
}

/** One line of the record file. */
export interface RecordedCall {
  readonly tool: string;
  /** `params.arguments` as received, null when there were none. */
  readonly arguments: string | null;
  /** `params._meta` as received. */
  readonly meta: string | null;
  readonly pid: number;
  readonly atMs: number;
  /** HTTP only. */
  readonly headers: Readonly<Record<string, unknown>> | null;
}

/** What the server has counted so far. */
export function recordedCalls(recordFile: string): readonly RecordedCall[] {
  let lines: string;
  try {
    lines = readFileSync(recordFile, "utf8");
  } catch {
    // Nothing was called yet.
    return [];
  }
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line): RecordedCall => JSON.parse(line));
}

function recordCall(recordFile: string, call: RecordedCall): void {
  const file = openSync(recordFile, "a");
  try {
    writeSync(file, `${JSON.stringify(call)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** In place of an answer: the server ends here. */
export const DIE = Symbol("die");

/** An answer that breaks off. */
export interface HalfFrame {
  readonly half: string;
}

export interface FrameParams {
  readonly options: CountingOptions;
  readonly frame: string;
  readonly headers: IncomingMessage["headers"] | null;
  readonly notify: (method: string, params: JsonObject) => void;
  readonly gone: AbortSignal;
}

/** The response frame, DIE when the server ends instead, null when there is nothing to answer. */
export async function answerFrame(params: FrameParams): Promise<string | HalfFrame | typeof DIE | null> {
  const message: unknown = JSON.parse(params.frame);
  if (!isObject(message) || typeof message["method"] !== "string" || message["id"] === undefined) return null;
  const answer = await answerRequest(
    params,
    message["method"],
    isObject(message["params"]) ? message["params"] : {},
  );
  if (answer.kind === "die") return DIE;
  if (answer.kind === "silent") return null;
  const { id } = message;
  if (answer.kind === "stray")
    return JSON.stringify({ jsonrpc: "2.0", id: "atlas-00000000-0000-0000-0000-000000000000", result: {} });
  if (answer.kind === "half")
    return { half: JSON.stringify({ jsonrpc: "2.0", id, result: {} }).slice(0, -9) };
  if (answer.kind === "error") return JSON.stringify({ jsonrpc: "2.0", id, error: answer.error });
  const modern = params.options.era === "modern";
  const result = modern ? { resultType: "complete", ...answer.result } : answer.result;
  return JSON.stringify({ jsonrpc: "2.0", id, result });
}

async function answerRequest(params: FrameParams, method: string, body: JsonObject): Promise<CallAnswer> {
  const modern = params.options.era === "modern";
  const serverInfo = { name: "counting-upstream", version: "1.0.0", vendor: "kept" };
  if (method === "initialize" && !modern) {
    const capabilities = { tools: { listChanged: true } };
    return { kind: "result", result: { protocolVersion: body["protocolVersion"], capabilities, serverInfo } };
  }
  if (method === "server/discover" && modern) {
    const discovered = {
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {} },
      ttlMs: 0,
      cacheScope: "private",
    };
    const _meta = { "io.modelcontextprotocol/serverInfo": serverInfo };
    return { kind: "result", result: { ...discovered, _meta } };
  }
  if (method === "ping") return { kind: "result", result: {} };
  if (method === "tools/list") return { kind: "result", result: listPage(params.options, body["cursor"]) };
  if (method === "tools/call") return await answerToolCall(params, body);
  return { kind: "error", error: { code: -32601, message: "Method not found" } };
}

function listPage(options: CountingOptions, cursor: unknown): JsonObject {
  const tools = listDefinitions(options.controlFile ?? null);
  const size = options.pageSize ?? tools.length;
  const from = typeof cursor === "string" ? Number(cursor) : 0;
  const next = from + size < tools.length ? { nextCursor: String(from + size) } : {};
  const freshness = options.era === "modern" ? { ttlMs: 0, cacheScope: "private" } : {};
  return { tools: tools.slice(from, from + size), ...next, ...freshness };
}

async function answerToolCall(params: FrameParams, body: JsonObject): Promise<CallAnswer> {
  const tool = String(body["name"]);
  const meta = isObject(body["_meta"]) ? body["_meta"] : {};
  return await answerCall({
    tool,
    args: isObject(body["arguments"]) ? body["arguments"] : {},
    progressToken: meta["progressToken"],
    notify: params.notify,
    gone: params.gone,
    record: () =>
      recordCall(params.options.recordFile, {
        tool,
        arguments: rawValue(params.frame, ["params", "arguments"]),
        meta: rawValue(params.frame, ["params", "_meta"]),
        pid: process.pid,
        atMs: Date.now(),
        headers: params.headers,
      }),
  });
}

export function notification(method: string, params: JsonObject): string {
  return JSON.stringify({ jsonrpc: "2.0", method, params });
}

export function watchControl(options: CountingOptions, onChange: () => void): void {
  const file = options.controlFile ?? null;
  if (file !== null) watchFile(file, { interval: 30, persistent: false }, onChange);
}

function serveStdio(options: CountingOptions, ignoreEnd: boolean): void {
  const write = (frame: string): void => {
    process.stdout.write(`${frame}\n`);
  };
  const gone = new AbortController();
  watchControl(options, () => write(notification("notifications/tools/list_changed", {})));
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on("line", (frame) => {
    const notify = (method: string, params: JsonObject): void => write(notification(method, params));
    void (async () => {
      const answer = await answerFrame({ options, frame, headers: null, notify, gone: gone.signal });
      if (answer === DIE) process.exit(3);
      if (answer === null) return;
      if (typeof answer === "string") write(answer);
      else process.stdout.write(answer.half, () => process.exit(3));
    })();
  });
  lines.on("close", () => {
    if (ignoreEnd) setInterval(() => undefined, 60_000);
    else process.exit(0);
  });
  if (ignoreEnd) process.on("SIGTERM", () => undefined);
}

/** A running HTTP upstream. */
export interface CountingHttp {
  readonly url: string;
  readonly port: number;
  /** Answers every known session with 404 from now on, as a restarted server does. */
  forgetSessions(): void;
  close(): Promise<void>;
}

/** Streamable HTTP of one era on a loopback port of the system's choice. */
export async function startCountingHttp(
  options: CountingOptions & { readonly port?: number },
): Promise<CountingHttp> {
  const sessions = new Set<string>();
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    void serveHttp({ options, request, response, sessions, streams }).catch(() => response.destroy());
  });
  watchControl(options, () => {
    for (const stream of streams) sendEvent(stream, notification("notifications/tools/list_changed", {}));
  });
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    port: address.port,
    forgetSessions: () => sessions.clear(),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

interface HttpExchange {
  readonly options: CountingOptions;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly sessions: Set<string>;
  readonly streams: Set<ServerResponse>;
}

async function serveHttp(exchange: HttpExchange): Promise<void> {
  const { options, request, response, sessions, streams } = exchange;
  const session = request.headers["mcp-session-id"];
  if (request.method === "DELETE") return void response.writeHead(200).end();
  if (request.method === "GET" && options.era !== "modern") {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    streams.add(response);
    response.once("close", () => streams.delete(response));
    return;
  }
  if (request.method !== "POST") return void response.writeHead(405).end();
  const frame = await readBody(request);
  const isHandshake = options.era !== "modern" && frame.includes('"method":"initialize"');
  if (options.era !== "modern" && !isHandshake && frame.includes('"method":"server/discover"')) {
    return void response
      .writeHead(400, { "content-type": "application/json" })
      .end('{"error":"session required"}');
  }
  if (options.era !== "modern" && !isHandshake && (typeof session !== "string" || !sessions.has(session))) {
    return void response.writeHead(404, { "content-type": "text/plain" }).end("Session not found");
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const notify = (method: string, params: JsonObject): void => {
    if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
    sendEvent(response, notification(method, params));
  };
  const answer = await answerFrame({ options, frame, headers: request.headers, notify, gone: gone.signal });
  if (answer === DIE) return void request.socket.destroy();
  if (typeof answer === "object" && answer !== null) {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    return void response.write(answer.half, () => request.socket.destroy());
  }
  if (answer === null) return void (gone.signal.aborted ? response.destroy() : response.writeHead(202).end());
  if (response.headersSent) {
    sendEvent(response, answer);
    return void response.end();
  }
  const sessionId = `s-${sessions.size}-${Date.now()}`;
  if (isHandshake) sessions.add(sessionId);
  const sessionHeader = isHandshake ? { "mcp-session-id": sessionId } : {};
  response.writeHead(200, { "content-type": "application/json", ...sessionHeader }).end(answer);
}

/** The whole body as text. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

export function sendEvent(response: ServerResponse, data: string): void {
  response.write(`event: message\ndata: ${data}\n\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      record: { type: "string" },
      control: { type: "string" },
      page: { type: "string" },
      http: { type: "string" },
      era: { type: "string" },
      "spawn-child": { type: "string" },
      "ignore-end": { type: "boolean" },
    },
  });
  if (values.record === undefined) throw new Error("--record FILE is required");
  const options: CountingOptions = {
    recordFile: values.record,
    controlFile: values.control ?? null,
    era: values.era === "modern" ? "modern" : "legacy",
    ...(values.page === undefined ? {} : { pageSize: Number(values.page) }),
  };
  if (values["spawn-child"] !== undefined) {
    // A grandchild that ignores everything but SIGKILL, to see whether the whole group is ended.
    const code = "process.on('SIGTERM',()=>{});setInterval(()=>{},1000)";
    const grandchild = spawn(process.execPath, ["-e", code], { stdio: "ignore" });
    writeFileSync(values["spawn-child"], String(grandchild.pid));
  }
  if (values.http === undefined) serveStdio(options, values["ignore-end"] === true);
  else process.stdout.write(`${(await startCountingHttp({ ...options, port: Number(values.http) })).url}\n`);
}

if (import.meta.main) await main();
