import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { AtlasError } from "../domain/errors.ts";
import { MAX_BODY_BYTES } from "../http/front-door.ts";

/** Waits before the next attempt of a request that was provably not sent: about as long as a gateway takes to restart. */
const BACKOFF_MS = [100, 200, 400, 800, 1_500, 2_000, 2_500, 2_500, 2_500, 2_500];

/** A host that does not even refuse a connection is as good as away. */
const CONNECT_WITHIN_MS = 5_000;

/** How long answers may still take when the client has closed its end; longer than `check_status` waits. */
const FINISH_WITHIN_MS = 30_000;

const PROTOCOL_VERSION_META = "io.modelcontextprotocol/protocolVersion";

/** What `Mcp-Name` repeats of `params`, by method (revision 2026-07-28 and its tasks extension). */
const NAME_SOURCES: ReadonlyMap<unknown, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"],
]);

export interface BridgeTarget {
  /** Address of the gateway, without a slash at the end. */
  readonly url: string;
  readonly agentKey: string;
}

export interface BridgeParams {
  /** Asked before every attempt, because a gateway may come back on another port. @throws AtlasError when there is none now */
  readonly target: () => BridgeTarget;
  readonly input: Readable;
  /** Gets protocol and nothing else. */
  readonly output: Writable;
  /** For people. */
  readonly tell: (sentence: string) => void;
}

interface Bridge extends BridgeParams {
  readonly running: Set<Exchange>;
  /** What `initialize` agreed on; clients of the 2025 revisions repeat it over HTTP but not over stdio. */
  agreedVersion: string | null;
  unreachable: boolean;
}

/** One line from the client and everything that answers it. */
interface Exchange {
  readonly line: Buffer;
  readonly message: Message;
  /** Requests of the line that have no answer yet. */
  readonly open: Set<RequestId>;
  readonly stop: AbortController;
}

type RequestId = string | number;

const memberSchema = z.record(z.string(), z.unknown());
const idSchema = z.union([z.string(), z.number()]);
const rpcErrorSchema = z.object({
  error: z.object({ code: z.unknown().optional(), message: z.string(), data: z.unknown().optional() }),
});

type Json = Readonly<Record<string, unknown>>;

/**
 * Lets a client that only speaks stdio talk to a gateway over HTTP. Lines are posted byte for byte, since what a
 * reviewer approves are the bytes of the arguments, and answers come back byte for byte.
 *
 * Settles when the client has closed its end and the answers in flight are out, or had their time.
 */
export async function runBridge(params: BridgeParams): Promise<void> {
  const bridge: Bridge = { ...params, running: new Set(), agreedVersion: null, unreachable: false };
  const exchanges = new Set<Promise<void>>();
  // A client that reads no more is gone.
  params.output.on("error", () => params.input.destroy());
  try {
    for await (const line of linesOf(params.input)) {
      if (line.toString("latin1").trim() === "") continue;
      const exchange = carry(line, bridge);
      exchanges.add(exchange);
      void exchange.then(() => exchanges.delete(exchange));
    }
  } catch {
    // An input that breaks is an input that ends.
  }
  // A subscription ends only when its client goes, and it has.
  for (const { message, stop } of bridge.running) {
    if (message.methods.includes("subscriptions/listen")) stop.abort();
  }
  const timer = setTimeout(() => {
    for (const { stop } of bridge.running) stop.abort();
  }, FINISH_WITHIN_MS);
  await Promise.all(exchanges);
  clearTimeout(timer);
}

/** Never rejects: whatever happens, the bridge goes on. */
async function carry(line: Buffer, bridge: Bridge): Promise<void> {
  const message = readMessage(line);
  if (message.cancels !== undefined) cancel(message.cancels, bridge);
  const exchange: Exchange = { line, message, open: new Set(message.ids), stop: new AbortController() };
  bridge.running.add(exchange);
  try {
    await converse(exchange, bridge);
  } catch {
    refuse(exchange, { message: "The bridge could not carry this message." }, bridge);
  } finally {
    bridge.running.delete(exchange);
  }
}

/**
 * Stops waiting for an answer. Hanging up is how HTTP says so, and the gateway's own rule decides what it means:
 * the response ends, the case does not.
 */
function cancel(id: RequestId, bridge: Bridge): void {
  for (const { message, stop } of bridge.running) {
    if (message.ids.length === 1 && message.ids[0] === id) stop.abort();
  }
}

async function converse(exchange: Exchange, bridge: Bridge): Promise<void> {
  if (exchange.line.length > MAX_BODY_BYTES) {
    const limit = `${MAX_BODY_BYTES / 1024 / 1024} MiB`;
    return refuse(exchange, { code: -32600, message: `The message is larger than ${limit}.` }, bridge);
  }
  const posted = await postUntilSent(exchange, bridge);
  if (posted.kind === "answered") {
    try {
      await relay(posted, exchange, bridge);
    } catch {
      // The connection broke; what has no answer yet is refused below.
    }
  }
  refuse(exchange, { message: posted.kind === "unsent" ? posted.why : LOST }, bridge);
}

const LOST =
  "The connection to the gateway ended before the answer came, so nobody knows here whether the request was carried out. " +
  "If it was a tool call, ask check_status without a ref before repeating it.";

/** Passes on what the gateway answers: one message, or a stream of them. */
async function relay({ response, url }: Answered, exchange: Exchange, bridge: Bridge): Promise<void> {
  const status = response.statusCode ?? 0;
  const type = response.headers["content-type"] ?? "";
  if (status === 200 && type.startsWith("text/event-stream")) {
    for await (const data of eventsOf(response)) deliver(data, exchange, bridge);
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  if (status === 202 || status === 204) return;
  const value = parseJson(body);
  if (answersExactly(value, exchange)) return deliver(body, exchange, bridge);
  const own = rpcErrorSchema.safeParse(value).data?.error;
  const code = typeof own?.code === "number" ? own.code : undefined;
  const message = explainStatus({ status, url, said: own?.message });
  // Nothing may be answered to a notification; only people hear of it.
  if (exchange.open.size === 0) bridge.tell(message);
  refuse(exchange, { code, message, data: own?.data }, bridge);
}

/** Whether a body is the answer to what was asked, not an error about the HTTP request as a whole. */
function answersExactly(value: unknown, exchange: Exchange): boolean {
  const messages = membersOf(value);
  if (messages.length === 0) return false;
  // Nobody can tell the id of a line that is not JSON, so the gateway's answer has none either.
  if (!exchange.message.readable) return messages.every((m) => "jsonrpc" in m);
  return messages.every((m) => exchange.open.has(idOf(m) ?? ""));
}

interface StatusParams {
  readonly status: number;
  readonly url: string;
  /** The gateway's own sentence. */
  readonly said: string | undefined;
}

function explainStatus({ status, url, said }: StatusParams): string {
  const own = said === undefined ? "" : ` It says: ${said}`;
  switch (status) {
    case 401:
      return `The gateway at ${url} does not accept this agent's key. Give a valid one in ATLAS_API_KEY or with --agent-key, and start the client again.${own}`;
    case 403:
      return `The gateway at ${url} does not let this client in.${own}`;
    case 404:
      return `There is no ATLAS gateway at ${url}/mcp. Check the address.${own}`;
    default:
      return status < 300
        ? `What answers at ${url}/mcp is not an ATLAS gateway. Check the address.`
        : `The gateway at ${url} did not take the message (HTTP ${status}).${own}`;
  }
}

function deliver(data: Buffer, exchange: Exchange, bridge: Bridge): void {
  if (exchange.stop.signal.aborted) return;
  for (const message of membersOf(parseJson(data))) {
    const id = idOf(message);
    if (id === undefined || "method" in message) continue;
    exchange.open.delete(id);
    if (exchange.message.methods.includes("initialize")) {
      const agreed = memberSchema.safeParse(message["result"]).data?.["protocolVersion"];
      if (isPlain(agreed)) bridge.agreedVersion = agreed;
    }
  }
  writeLine(data, bridge);
}

/** A line break in JSON is white space between tokens; a line of stdio may hold none. */
function writeLine(data: Buffer, { output }: Bridge): void {
  const line = data.includes(0x0a) || data.includes(0x0d) ? data.map(withoutBreak) : data;
  if (output.writable) output.write(Buffer.concat([line, Buffer.from("\n")]));
}

function withoutBreak(byte: number): number {
  return byte === 0x0a || byte === 0x0d ? 0x20 : byte;
}

interface Refusal {
  readonly code?: number | undefined;
  readonly message: string;
  readonly data?: unknown;
}

/** Answers every request of the line that has no answer. */
function refuse(exchange: Exchange, { code = -32603, message, data }: Refusal, bridge: Bridge): void {
  if (exchange.stop.signal.aborted) return;
  for (const id of exchange.open) {
    const error = { code, message, ...(data !== undefined && { data }) };
    writeLine(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, error })), bridge);
  }
  exchange.open.clear();
}

interface Answered {
  readonly kind: "answered";
  readonly response: IncomingMessage;
  readonly url: string;
}

type Posted =
  | Answered
  /** The gateway cannot have seen it, so it may be sent again. */
  | { readonly kind: "unsent"; readonly why: string }
  | { readonly kind: "lost" };

/** Tries again only what provably was not sent: anything else might run twice. */
async function postUntilSent(exchange: Exchange, bridge: Bridge): Promise<Posted> {
  for (let attempt = 0; ; attempt++) {
    const posted = await tryPost(exchange, bridge);
    if (posted.kind !== "unsent") {
      if (bridge.unreachable) bridge.tell("The gateway is reached again.");
      bridge.unreachable = false;
      return posted;
    }
    if (exchange.stop.signal.aborted) return posted;
    if (!bridge.unreachable) bridge.tell(posted.why);
    bridge.unreachable = true;
    const waitMs = BACKOFF_MS[attempt];
    if (waitMs === undefined) return posted;
    await sleep(waitMs, undefined, { signal: exchange.stop.signal }).catch(() => undefined);
  }
}

async function tryPost(exchange: Exchange, bridge: Bridge): Promise<Posted> {
  let target: BridgeTarget;
  try {
    target = bridge.target();
  } catch (error) {
    if (error instanceof AtlasError) return { kind: "unsent", why: error.message };
    throw error;
  }
  return post(target, exchange, headersOf(exchange, bridge.agreedVersion));
}

/** A connection for each message: one that is kept alive may turn out dead only after the message went into it. */
function post(target: BridgeTarget, exchange: Exchange, headers: OutgoingHttpHeaders): Promise<Posted> {
  const url = new URL(`${target.url}/mcp`);
  const isTls = url.protocol === "https:";
  return new Promise((resolve) => {
    let connected = false;
    const request = (isTls ? httpsRequest : httpRequest)(url, {
      method: "POST",
      agent: false,
      signal: exchange.stop.signal,
      headers: { ...headers, authorization: `Bearer ${target.agentKey}` },
    });
    const late = setTimeout(() => request.destroy(), CONNECT_WITHIN_MS);
    request.once("socket", (socket) => {
      socket.once(isTls ? "secureConnect" : "connect", () => {
        connected = true;
        clearTimeout(late);
      });
    });
    request.once("response", (response) => resolve({ kind: "answered", response, url: target.url }));
    request.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(late);
      const reason = error.code === undefined ? "" : ` (${error.code})`;
      const why = `The gateway at ${target.url} cannot be reached${reason}. Start it, or check the address, and try again.`;
      resolve(connected ? { kind: "lost" } : { kind: "unsent", why });
    });
    request.end(exchange.line);
  });
}

function headersOf({ line, message }: Exchange, agreedVersion: string | null): OutgoingHttpHeaders {
  return {
    "content-type": "application/json",
    "content-length": line.length,
    accept: "application/json, text/event-stream",
    ...(agreedVersion !== null &&
      !message.methods.includes("initialize") && { "mcp-protocol-version": agreedVersion }),
    ...message.headers,
  };
}

/** What the bridge must know of a line; the line itself is what travels. */
interface Message {
  readonly readable: boolean;
  readonly methods: readonly unknown[];
  /** Of requests, which alone are answered. */
  readonly ids: readonly RequestId[];
  /** What the 2026-07-28 revision wants repeated in headers; empty for older ones. */
  readonly headers: OutgoingHttpHeaders;
  /** The request that `notifications/cancelled` is about. */
  readonly cancels: RequestId | undefined;
}

function readMessage(line: Buffer): Message {
  const value = parseJson(line);
  const messages = membersOf(value);
  const [only] = messages;
  const params = memberSchema.safeParse(only?.["params"]).data;
  const isCancel = only?.["method"] === "notifications/cancelled";
  return {
    readable: value !== undefined,
    methods: messages.map((m) => m["method"]),
    ids: messages.filter((m) => "method" in m).flatMap((m) => idOf(m) ?? []),
    headers: Array.isArray(value) || only === undefined ? {} : modernHeaders(only["method"], params ?? {}),
    cancels: isCancel ? idSchema.safeParse(params?.["requestId"]).data : undefined,
  };
}

function modernHeaders(method: unknown, params: Json): OutgoingHttpHeaders {
  const version = memberSchema.safeParse(params["_meta"]).data?.[PROTOCOL_VERSION_META];
  // The gateway says better than we could what is wrong with a message that cannot be mirrored.
  if (!isPlain(version) || !isPlain(method)) return {};
  const name = params[NAME_SOURCES.get(method) ?? ""];
  return {
    "mcp-protocol-version": version,
    "mcp-method": method,
    ...(typeof name === "string" && { "mcp-name": headerValue(name) }),
  };
}

/** As the revision encodes values that a header cannot hold, or that look as if they were encoded. */
function headerValue(text: string): string {
  const isSafe = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !/^=\?base64\?.*\?=$/i.test(text);
  return isSafe ? text : `=?base64?${Buffer.from(text).toString("base64")}?=`;
}

function isPlain(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value);
}

/** undefined when it is not JSON. */
function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The messages of a batch, or the one message; what is no object is no message. */
function membersOf(value: unknown): readonly Json[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.flatMap((v): readonly Json[] => {
    const message = memberSchema.safeParse(v);
    return message.success ? [message.data] : [];
  });
}

function idOf(message: Json): RequestId | undefined {
  return idSchema.safeParse(message["id"]).data;
}

/** The `data` of each event, as it was sent. */
async function* eventsOf(stream: Readable): AsyncGenerator<Buffer> {
  let data: Buffer[] = [];
  for await (const line of linesOf(stream)) {
    if (line.length === 0) {
      const event = Buffer.concat(data.flatMap((part, i) => (i === 0 ? [part] : [Buffer.from("\n"), part])));
      data = [];
      if (event.length > 0) yield event;
    } else if (line.subarray(0, 5).equals(DATA)) {
      data.push(line.subarray(line[5] === 0x20 ? 6 : 5));
    }
  }
}

const DATA = Buffer.from("data:");

/** Lines without their ends; what follows the last line end is a line, too. */
async function* linesOf(stream: Readable): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  for await (const chunk of stream) {
    let rest = Buffer.from(chunk);
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      yield withoutCarriageReturn(Buffer.concat([...begun, rest.subarray(0, end)]));
      begun = [];
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) begun.push(rest);
  }
  if (begun.length > 0) yield withoutCarriageReturn(Buffer.concat(begun));
}

function withoutCarriageReturn(line: Buffer): Buffer {
  return line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
}
