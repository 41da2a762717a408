import { setTimeout as sleep } from "node:timers/promises";
import { createFlowLimit } from "./flow-limit.ts";
import { createLineSplitter, type OverlongLine } from "./lines.ts";

export interface LimitParams {
  /** Longest line that is passed on. */
  readonly maxBytes: number;
  /** Told of a longer one, which is left out. */
  readonly onOverlong: (line: OverlongLine) => void;
}

/**
 * A `text/event-stream` without its overlong lines, read no faster than one connection may bring. JSON-RPC messages
 * stand on one line each, so what is left out is a whole message.
 */
export function limitedStream(
  body: ReadableStream<Uint8Array>,
  { maxBytes, onOverlong }: LimitParams,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const flow = createFlowLimit();
  let lines: string[] = [];
  const split = createLineSplitter({ maxBytes, onOverlong, onLine: (line) => lines.push(line) });
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: async (chunk, controller) => {
        split(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
        if (lines.length > 0) controller.enqueue(encoder.encode(`${lines.join("\n")}\n`));
        lines = [];
        const waitMs = flow(chunk.byteLength);
        if (waitMs > 0) await sleep(waitMs, undefined, { ref: false });
      },
    }),
  );
}

/** One event of a stream. */
export interface StreamEvent {
  /** `message` where the stream does not name it. */
  readonly event: string;
  readonly data: string;
}

/** Reads events until the stream ends (WHATWG HTML, 9.2.6); an event that has no blank line after it is none. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  params: LimitParams,
): AsyncGenerator<StreamEvent> {
  let buffered = "";
  let event = "message";
  let data: string[] = [];
  let bytes = 0;
  for await (const text of limitedStream(body, params).pipeThrough(new TextDecoderStream())) {
    const lines = (buffered + text).split("\n");
    buffered = lines.pop() ?? "";
    for (const line of lines) {
      const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/su.exec(line) ?? [];
      bytes += line.length;
      if (line !== "") {
        if (field === "event") event = value;
        // A message of many lines that together are too long is left out like one long line.
        else if (field === "data" && bytes <= params.maxBytes) data.push(value);
        continue;
      }
      if (data.length > 0 && bytes <= params.maxBytes) yield { event, data: data.join("\n") };
      event = "message";
      data = [];
      bytes = 0;
    }
  }
}
