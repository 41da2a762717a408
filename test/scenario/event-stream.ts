import { expect } from "vitest";
import type { WireMessage } from "./agent.ts";
import type { Scenario } from "./gateway.ts";

/** A legacy event stream, read frame by frame. */
export interface EventStream {
  /** The address that the first frame names for messages. */
  endpoint(): Promise<string>;
  /** The next JSON-RPC message. */
  next(): Promise<WireMessage>;
  close(): Promise<void>;
}

export async function openEventStream(gateway: Scenario, key: string): Promise<EventStream> {
  const response = await fetch(`${gateway.url}/mcp/sse`, {
    headers: { authorization: `Bearer ${key}`, accept: "text/event-stream" },
  });
  expect(response.status).toBe(200);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no body");
  let buffered = "";

  async function frame(event: string): Promise<string> {
    for (;;) {
      const end = buffered.indexOf("\n\n");
      if (end >= 0) {
        const text = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        const data = text.startsWith(`event: ${event}\n`) ? /^data: (.*)$/m.exec(text)?.[1] : undefined;
        if (data !== undefined) return data;
        continue;
      }
      const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
      if (done) throw new Error(`the stream ended before an event ${event}`);
      buffered += value;
    }
  }

  return {
    endpoint: () => frame("endpoint"),
    next: async () => {
      const text = await frame("message");
      return { ...JSON.parse(text), text };
    },
    close: () => reader.cancel(),
  };
}
