import { expect } from "vitest";
import { onlyMessage, readAnswer, type WireAnswer, type WireMessage } from "./agent.ts";
import type { Scenario } from "./gateway.ts";

/** An agent with a session of Streamable HTTP, without an SDK. */
export interface SessionAgent {
  readonly id: string;
  post(message: object): Promise<WireAnswer>;
  /** A request's answer. */
  request(method: string, params?: object): Promise<WireMessage>;
  /** Opens the stream on which the gateway tells of its own accord. */
  listen(): Promise<SessionStream>;
  /** Ends the session. @returns the HTTP status */
  end(): Promise<number>;
}

export interface SessionStream {
  next(): Promise<WireMessage>;
  close(): Promise<void>;
}

const JSON_HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

function headersOf(key: string, id: string): Readonly<Record<string, string>> {
  return {
    ...JSON_HEADERS,
    authorization: `Bearer ${key}`,
    "mcp-session-id": id,
    "mcp-protocol-version": "2025-11-25",
  };
}

/** Sends `initialize` as an agent that declares these capabilities. @returns the id of its session, null when it got none */
export async function initialize(
  gateway: Scenario,
  key: string,
  capabilities: object = {},
): Promise<string | null> {
  const params = { protocolVersion: "2025-11-25", capabilities, clientInfo: { name: "wire", version: "1" } };
  const response = await fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: { ...JSON_HEADERS, authorization: `Bearer ${key}` },
    body: JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params }),
  });
  const answer = onlyMessage(await readAnswer(response));
  expect(answer.result).toMatchObject({ protocolVersion: "2025-11-25" });
  return response.headers.get("mcp-session-id");
}

/** The agent of a session that exists, or of an id that names none. */
export function sessionAgent(gateway: Scenario, key: string, id: string): SessionAgent {
  let lastId = 0;
  const post = async (message: object): Promise<WireAnswer> =>
    readAnswer(
      await fetch(`${gateway.url}/mcp`, {
        method: "POST",
        headers: headersOf(key, id),
        body: JSON.stringify({ jsonrpc: "2.0", ...message }),
      }),
    );
  return {
    id,
    post,
    request: async (method, params = {}) => {
      lastId += 1;
      return onlyMessage(await post({ id: lastId, method, params }));
    },
    listen: async () => {
      const { accept: _accept, ...headers } = headersOf(key, id);
      const response = await fetch(`${gateway.url}/mcp`, {
        headers: { ...headers, accept: "text/event-stream" },
      });
      expect(response.status).toBe(200);
      return readStream(response);
    },
    end: async () =>
      (await fetch(`${gateway.url}/mcp`, { method: "DELETE", headers: headersOf(key, id) })).status,
  };
}

function readStream(response: Response): SessionStream {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no body");
  let buffered = "";
  return {
    next: async () => {
      for (;;) {
        const end = buffered.indexOf("\n\n");
        const data = /^data: (.*)$/m.exec(buffered.slice(0, end === -1 ? 0 : end))?.[1];
        if (end !== -1) buffered = buffered.slice(end + 2);
        if (data !== undefined) return { ...JSON.parse(data), text: data };
        if (end !== -1) continue;
        const { value, done } = await reader.read();
        if (done) throw new Error("the stream ended");
        buffered += value;
      }
    },
    close: () => reader.cancel(),
  };
}
