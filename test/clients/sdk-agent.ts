import { join } from "node:path";
import {
  Client as ClientV2,
  fromJsonSchema,
  SSEClientTransport as SseV2,
  StreamableHTTPClientTransport as StreamableV2,
} from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport as SseV1 } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport as StreamableV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport as TransportV1 } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  LoggingMessageNotificationSchema,
  PromptListChangedNotificationSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import type { ToolResult } from "../scenario/agent.ts";
import { COMPILE_CACHE } from "../servers/gateway-process.ts";

const ATLAS = join(import.meta.dirname, "../../bin/atlas.js");

export interface ListedTool {
  readonly name: string;
  readonly outputSchema?: { readonly [key: string]: unknown } | undefined;
  readonly [key: string]: unknown;
}

export interface Progress {
  readonly progress: number;
  readonly message?: string | undefined;
}

/** What the scenarios need of a client, whichever SDK it is of. */
export interface SdkAgent {
  readonly instructions: string | undefined;
  listTools(): Promise<readonly ListedTool[]>;
  /** The SDK's own call, with whatever it checks of the answer. */
  call(
    name: string,
    args?: Record<string, unknown>,
    onProgress?: (progress: Progress) => void,
  ): Promise<ToolResult>;
  listPrompts(): Promise<readonly string[]>;
  getPrompt(name: string): Promise<string>;
  listResources(): Promise<readonly string[]>;
  /** Texts of the resource, as the SDK's own types let them through. */
  readResource(uri: string): Promise<readonly string[]>;
  complete(ref: CompletionRef): Promise<readonly string[]>;
  /** Asks to be told of changes of the resource and of the lists. */
  subscribe(uri: string): Promise<void>;
  /** Changes that the gateway told of: `resources`, `prompts`, or the URI of a resource. */
  readonly news: readonly string[];
  /** Any request, its result unchecked and whole. */
  request(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Log messages that the gateway sent of its own accord. */
  readonly told: readonly unknown[];
  close(): Promise<void>;
}

export type CompletionRef =
  | { readonly type: "ref/prompt"; readonly name: string }
  | { readonly type: "ref/resource"; readonly uri: string };

export const SDK_CLIENTS = [
  { client: "SDK v1 over SSE", sdk: "v1", wire: "sse", mode: "legacy" },
  { client: "SDK v1 over Streamable HTTP", sdk: "v1", wire: "http", mode: "legacy" },
  { client: "SDK v2 over SSE", sdk: "v2", wire: "sse", mode: "legacy" },
  { client: "SDK v2 over Streamable HTTP, initialized", sdk: "v2", wire: "http", mode: "legacy" },
  { client: "SDK v2 over Streamable HTTP, 2026-07-28", sdk: "v2", wire: "http", mode: "modern" },
] as const;

export type SdkClient = (typeof SDK_CLIENTS)[number];

const INFO = { name: "sdk-agent", version: "1.0.0" };
/** Longer than the longest `check_status`. */
const TIMEOUT_MS = 40_000;

/** SDK v2 behind `atlas connect`, a process of its own. */
export function connectBridge(url: string, key: string): Promise<SdkAgent> {
  const transport = new StdioV2({
    command: process.execPath,
    args: [ATLAS, "connect", "--url", url],
    env: { ATLAS_API_KEY: key, NODE_COMPILE_CACHE: COMPILE_CACHE },
    stderr: "ignore",
  });
  return connectV2(transport, "legacy");
}

export function connectSdk(client: SdkClient, url: string, key: string): Promise<SdkAgent> {
  const options = {
    fetch: (input: string | URL | Request, init?: RequestInit) => {
      const headers = new Headers(init?.headers);
      headers.set("authorization", `Bearer ${key}`);
      return fetch(input, { ...init, headers });
    },
  };
  const address = new URL(client.wire === "sse" ? `${url}/mcp/sse` : `${url}/mcp`);
  if (client.sdk === "v1") {
    // The SDK's own transport class does not fit its own interface under exactOptionalPropertyTypes.
    const http = new StreamableV1(address, options) as TransportV1;
    return connectV1(client.wire === "sse" ? new SseV1(address, options) : http);
  }
  const transport = client.wire === "sse" ? new SseV2(address, options) : new StreamableV2(address, options);
  return connectV2(transport, client.mode);
}

async function connectV1(transport: TransportV1): Promise<SdkAgent> {
  const client = new ClientV1(INFO);
  const told: unknown[] = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    told.push(params.data);
  });
  const news: string[] = [];
  client.setNotificationHandler(
    ResourceUpdatedNotificationSchema,
    ({ params }) => void news.push(params.uri),
  );
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void news.push("resources"));
  client.setNotificationHandler(PromptListChangedNotificationSchema, () => void news.push("prompts"));
  await client.connect(transport);
  return {
    instructions: client.getInstructions(),
    told,
    news,
    listResources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    readResource: async (uri) => textsOf((await client.readResource({ uri })).contents),
    complete: async (ref) =>
      (await client.complete({ ref, argument: { name: "a", value: "" } })).completion.values,
    subscribe: async (uri) => void (await client.subscribeResource({ uri })),
    listTools: async () => (await client.listTools()).tools,
    call: async (name, args = {}, onProgress) => {
      const progress = onProgress === undefined ? {} : { onprogress: onProgress };
      const options = { timeout: TIMEOUT_MS, ...progress };
      return (await client.callTool({ name, arguments: args }, undefined, options)) as ToolResult;
    },
    listPrompts: async () => (await client.listPrompts()).prompts.map((prompt) => prompt.name),
    getPrompt: async (name) => promptText((await client.getPrompt({ name })).messages),
    request: (method, params = {}) =>
      client.request({ method, params }, z.record(z.string(), z.unknown()), { timeout: TIMEOUT_MS }),
    close: () => client.close(),
  };
}

async function connectV2(
  transport: SseV2 | StreamableV2 | StdioV2,
  mode: SdkClient["mode"],
): Promise<SdkAgent> {
  const negotiation = mode === "modern" ? ({ pin: "2026-07-28" } as const) : "legacy";
  const client = new ClientV2(INFO, { versionNegotiation: { mode: negotiation } });
  const told: unknown[] = [];
  client.setNotificationHandler("notifications/message", ({ params }) => {
    told.push(params.data);
  });
  const news: string[] = [];
  client.setNotificationHandler("notifications/resources/updated", (n) => void news.push(n.params.uri));
  client.setNotificationHandler("notifications/resources/list_changed", () => void news.push("resources"));
  client.setNotificationHandler("notifications/prompts/list_changed", () => void news.push("prompts"));
  await client.connect(transport);
  const filter = { resourcesListChanged: true, promptsListChanged: true };
  const anything = fromJsonSchema<Record<string, unknown>>({});
  return {
    instructions: client.getInstructions(),
    told,
    news,
    listResources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    readResource: async (uri) => textsOf((await client.readResource({ uri })).contents),
    complete: async (ref) =>
      (await client.complete({ ref, argument: { name: "a", value: "" } })).completion.values,
    subscribe: async (uri) => {
      if (mode === "modern") await client.listen({ ...filter, resourceSubscriptions: [uri] });
      else await client.subscribeResource({ uri });
    },
    listTools: async () => (await client.listTools()).tools,
    call: async (name, args = {}, onProgress) => {
      const progress = onProgress === undefined ? {} : { onprogress: onProgress };
      return (await client.callTool(
        { name, arguments: args },
        { timeout: TIMEOUT_MS, ...progress },
      )) as ToolResult;
    },
    listPrompts: async () => (await client.listPrompts()).prompts.map((prompt) => prompt.name),
    getPrompt: async (name) => promptText((await client.getPrompt({ name })).messages),
    request: (method, params = {}) => client.request({ method, params }, anything, { timeout: TIMEOUT_MS }),
    close: () => client.close(),
  };
}

function textsOf(contents: readonly object[]): readonly string[] {
  return contents.map((content) => ("text" in content ? String(content.text) : ""));
}

function promptText(
  messages: readonly { readonly content: { readonly type: string; readonly text?: unknown } }[],
): string {
  return messages.map(({ content }) => (content.type === "text" ? String(content.text) : "")).join("\n");
}
