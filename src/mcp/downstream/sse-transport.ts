import type { JSONRPCMessage, MessageExtraInfo, Transport } from "@modelcontextprotocol/server";

/** Comment frames keep proxies from closing an idle stream. */
const HEARTBEAT_MS = 15_000;

export interface SseServerTransportParams {
  readonly sessionId: string;
  readonly messagesPath: string;
  /** Whether the agent may go on listening; asked at every heartbeat. Never throws. */
  readonly mayStay: () => Promise<boolean>;
}

/**
 * Server side of the legacy HTTP+SSE transport (protocol 2024-11-05): answers and notifications go out on one
 * event stream, requests come in as POSTs to the address that the stream's first event names.
 */
export class SseServerTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: <T extends JSONRPCMessage>(message: T, extra?: MessageExtraInfo) => void;
  readonly sessionId: string;
  readonly stream: ReadableStream<Uint8Array>;
  readonly #messagesPath: string;
  readonly #mayStay: () => Promise<boolean>;
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(params: SseServerTransportParams) {
    this.#mayStay = params.mayStay;
    this.sessionId = params.sessionId;
    this.#messagesPath = params.messagesPath;
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => this.#end(),
    });
  }

  async start(): Promise<void> {
    this.#write(`event: endpoint\ndata: ${this.#messagesPath}?sessionId=${this.sessionId}\n\n`);
    this.#heartbeat = setInterval(() => void this.beat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  /** Keeps the stream alive, or closes it when its agent may not listen any more. */
  async beat(): Promise<void> {
    if (await this.#mayStay()) this.#write(": keep-alive\n\n");
    else await this.close();
  }

  /** Takes one message that came in by POST. */
  receive(message: JSONRPCMessage, extra: MessageExtraInfo): void {
    this.onmessage?.(message, extra);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  }

  async close(): Promise<void> {
    const controller = this.#controller;
    this.#end();
    try {
      controller?.close();
    } catch {
      // The client closed the stream first.
    }
  }

  #write(frame: string): void {
    this.#controller?.enqueue(this.#encoder.encode(frame));
  }

  #end(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    clearInterval(this.#heartbeat);
    this.onclose?.();
  }
}
