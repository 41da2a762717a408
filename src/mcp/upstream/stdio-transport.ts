import type { Readable } from "node:stream";
import type { JSONRPCMessage } from "@modelcontextprotocol/client";
import type { StdioUpstreamConfig } from "../../config/config.ts";
import { type ChildProcess, startChild } from "./child-process.ts";
import { createFlowLimit } from "./flow-limit.ts";
import { createLineSplitter } from "./lines.ts";
import type { UpstreamLog } from "./log.ts";
import {
  isJsonRpcMessage,
  type RawReply,
  type RawRequest,
  type RawTransport,
  WaitingRequests,
} from "./raw-transport.ts";

/** How long a child has to end after the end of its stdin, and again after SIGTERM. */
export interface ChildGrace {
  readonly afterEofMs: number;
  readonly afterTermMs: number;
}

const DEFAULT_GRACE: ChildGrace = { afterEofMs: 2_000, afterTermMs: 2_000 };
/** How long answers that a dead child left in its pipe are waited for. */
const DRAIN_MS = 1_000;
const MAX_STDERR_LINE_BYTES = 64 * 1024;
const MAX_STDERR_LINES = 1_000;
const MAX_STDERR_CHARS = 2_000;

export interface StdioTransportParams {
  readonly config: StdioUpstreamConfig;
  readonly log: UpstreamLog;
  /** Longest message that is taken. */
  readonly maxResultBytes: number;
  readonly grace?: ChildGrace;
}

/** MCP over the pipes of one child process. Unlike the SDK's transport it can write exact bytes, and it ends the whole process group. */
export class StdioTransport implements RawTransport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: JSONRPCMessage) => void) | undefined;

  readonly #config: StdioUpstreamConfig;
  readonly #log: UpstreamLog;
  readonly #maxResultBytes: number;
  readonly #grace: ChildGrace;
  readonly #waiting = new WaitingRequests();
  #child: ChildProcess | null = null;
  #ended = false;
  /** Settles when the pipe has taken everything written so far. */
  #flushed: Promise<void> = Promise.resolve();

  constructor(params: StdioTransportParams) {
    this.#config = params.config;
    this.#log = params.log;
    this.#maxResultBytes = params.maxResultBytes;
    this.#grace = params.grace ?? DEFAULT_GRACE;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async start(): Promise<void> {
    if (this.#child !== null || this.#ended) throw new Error("a stdio connection starts once");
    const child = await startChild(this.#config);
    this.#child = child;
    this.#read(child.streams.stdout);
    child.streams.stderr.on("data", this.#stderrLogger());
    // Broken pipes show as the end of the child; without a listener they would end the gateway.
    for (const stream of [child.streams.stdin, child.streams.stdout, child.streams.stderr]) {
      stream.on("error", (error) => this.onerror?.(error));
    }
    void this.#endWith(child);
    if (this.#ended) await this.close();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const wrote = await this.#write(JSON.stringify(message), () => true, null);
    if (wrote !== "written") throw new Error("the connection to the upstream is closed");
  }

  async exchange(request: RawRequest): Promise<RawReply> {
    const { promise, resolve } = Promise.withResolvers<RawReply>();
    this.#waiting.add(request, resolve);
    const wrote = await this.#write(request.text, request.mayWrite, request.signal);
    if (wrote !== "written") {
      const late = wrote === "late";
      const detail = late
        ? "the time to send the call had passed"
        : "the connection was closed before the call was sent";
      this.#waiting.settle(request.id, { kind: "not_sent", late, stale: wrote === "closed", detail });
      return await promise;
    }
    const abort = (): void => this.#waiting.settle(request.id, { kind: "lost" });
    request.signal.addEventListener("abort", abort, { once: true });
    if (request.signal.aborted) abort();
    try {
      return await promise;
    } finally {
      request.signal.removeEventListener("abort", abort);
    }
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child === null) {
      this.#end();
      return;
    }
    child.streams.stdin.end();
    if (!(await settledWithin(child.exited, this.#grace.afterEofMs))) {
      child.signalGroup("SIGTERM");
      if (!(await settledWithin(child.exited, this.#grace.afterTermMs))) child.signalGroup("SIGKILL");
      await child.exited;
    }
    this.#end();
  }

  /**
   * Writes one line once the pipe has taken the one before. A frame that waits here is in no buffer,
   * so that a child which stopped reading cannot get it after its dispatch deadline.
   */
  async #write(
    text: string,
    mayWrite: () => boolean,
    signal: AbortSignal | null,
  ): Promise<"written" | "late" | "closed"> {
    const before = this.#flushed;
    const { promise: flushed, resolve: markFlushed } = Promise.withResolvers<void>();
    this.#flushed = flushed;
    if (!(await settledBefore(before, signal))) {
      void before.then(markFlushed);
      return "late";
    }
    const stdin = this.#child?.streams.stdin;
    const verdict = this.#ended || stdin?.writable !== true ? "closed" : mayWrite() ? "written" : "late";
    if (verdict === "written") stdin?.write(`${text}\n`, () => markFlushed());
    else markFlushed();
    return verdict;
  }

  #read(stdout: Readable): void {
    const flow = createFlowLimit();
    const split = createLineSplitter({
      maxBytes: this.#maxResultBytes,
      onLine: (line) => this.#receive(line),
      onOverlong: (line) => {
        this.#log.warn({ upstream: this.#config.name, bytes: line.bytes }, "upstream wrote too long a line");
        this.#waiting.takeOverlong(line);
      },
      onEndless: () => this.#giveUp("a line of output has no end"),
    });
    stdout.on("data", (chunk: Buffer) => {
      split(chunk);
      const waitMs = flow(chunk.length);
      if (waitMs === 0) return;
      stdout.pause();
      setTimeout(() => stdout.resume(), waitMs).unref();
    });
  }

  #receive(line: string): void {
    if (line.trim() === "") return;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      // Programs print to stdout what belongs on stderr; other frames are still good.
      this.#log.debug(
        { upstream: this.#config.name, bytes: line.length },
        "upstream wrote a line that is not JSON",
      );
      return;
    }
    if (this.#waiting.take(message)) return;
    if (isJsonRpcMessage(message)) this.onmessage?.(message);
  }

  #stderrLogger(): (chunk: Buffer) => void {
    const secrets = Object.values(this.#config.env).filter((value) => value.length >= 6);
    let lines = 0;
    return createLineSplitter({
      maxBytes: MAX_STDERR_LINE_BYTES,
      onLine: (line) => {
        lines += 1;
        if (lines > MAX_STDERR_LINES) return;
        const shown = secrets.reduce((text, secret) => text.replaceAll(secret, "[redacted]"), line);
        this.#log.debug(
          { upstream: this.#config.name, stderr: shown.slice(0, MAX_STDERR_CHARS) },
          "upstream wrote to stderr",
        );
      },
      onOverlong: ({ bytes }) =>
        this.#log.debug({ upstream: this.#config.name, bytes }, "upstream wrote too long a line to stderr"),
    });
  }

  #giveUp(reason: string): void {
    this.#log.warn({ upstream: this.#config.name, reason }, "upstream connection was killed");
    this.#child?.signalGroup("SIGKILL");
    this.#end();
  }

  async #endWith(child: ChildProcess): Promise<void> {
    const drained = new Promise<void>((resolve) => {
      child.streams.stdout.once("close", () => resolve());
    });
    await child.exited;
    await settledWithin(drained, DRAIN_MS);
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting.settleAll({ kind: "lost" });
    this.#child?.streams.stdin.destroy();
    this.#child?.streams.stdout.destroy();
    this.#child?.streams.stderr.destroy();
    this.onclose?.();
  }
}

/** @returns false when the signal was aborted first. */
async function settledBefore(promise: Promise<void>, signal: AbortSignal | null): Promise<boolean> {
  if (signal === null) return await promise.then(() => true);
  if (signal.aborted) return false;
  const { promise: aborted, resolve } = Promise.withResolvers<false>();
  const onAbort = (): void => resolve(false);
  signal.addEventListener("abort", onAbort, { once: true });
  const first = await Promise.race([promise.then(() => true as const), aborted]);
  signal.removeEventListener("abort", onAbort);
  return first;
}

async function settledWithin(promise: Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const settled = await Promise.race([promise.then(() => true as const), timeout]);
  clearTimeout(timer);
  return settled;
}
