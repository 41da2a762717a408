import { randomUUID } from "node:crypto";
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type Client,
  PROTOCOL_VERSION_META_KEY,
} from "@modelcontextprotocol/client";
import type { Clock } from "../../domain/clock.ts";
import type { ToolDefinition } from "../../domain/tool.ts";
import type { DispatchOutcome, DispatchParams } from "../../governance/ports.ts";
import { askableByResult } from "./client-messages.ts";
import { CLIENT_INFO, type ConnectParams, connect } from "./connect.ts";
import type { RawOffers } from "./listed-offers.ts";
import { listAll, listOffers } from "./listing.ts";
import { mcpParamHeaders } from "./mcp-param-headers.ts";
import { mergeMeta, requestText } from "./raw-json.ts";
import { RAW_ID_PREFIX, type RawReply, type RawRequest, type RawTransport } from "./raw-transport.ts";
import { exchangeRead, type ReadRequest } from "./reading.ts";
import { type ResourceWatch, watchOn } from "./resource-watch.ts";

export interface OpenConnectionParams extends ConnectParams {
  readonly clock: Clock;
  /** Tells of changed lists; a connection that only carries calls leaves it out. */
  readonly onListChanged?: () => void;
  /** Tells of changes of the resources that the connection watches. */
  readonly onResourceUpdated?: (uri: string) => void;
}

export interface ConnectionCall extends DispatchParams {
  /** Definition the call is made for, where the protocol derives headers from its schema. */
  readonly definition?: ToolDefinition | undefined;
}

export interface DispatchReport {
  readonly outcome: DispatchOutcome;
  /** Nothing was sent because this connection is dead; another one may do it. */
  readonly stale: boolean;
}

/** One connection to one upstream. */
export interface Connection {
  readonly pid: number | null;
  readonly protocolVersion: string;
  isOpen(): boolean;
  /** Settles when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  /** All tools, raw. @throws AtlasError when the upstream does not list them. */
  listTools(): Promise<readonly unknown[]>;
  /** Resources, templates and prompts, raw, of the kinds that the upstream declares. @throws AtlasError when it does not list them. */
  listOffers(): Promise<RawOffers>;
  read(request: ReadRequest): Promise<DispatchReport>;
  /** What this upstream tells of changes of; `undefined` when it takes no subscriptions. */
  readonly watch: ResourceWatch | undefined;
  dispatch(call: ConnectionCall): Promise<DispatchReport>;
  close(): Promise<void>;
}

/** @throws AtlasError when the connection cannot be established. */
export async function openConnection(params: OpenConnectionParams): Promise<Connection> {
  const { client, transport } = await connect(params);
  const { promise: closed, resolve: markClosed } = Promise.withResolvers<void>();
  let open = true;
  client.onclose = () => {
    open = false;
    markClosed();
  };
  const { onListChanged } = params;
  if (onListChanged !== undefined) {
    for (const list of ["tools", "resources", "prompts"] as const) {
      client.setNotificationHandler(`notifications/${list}/list_changed`, () => onListChanged());
    }
    // A broken event stream says nothing else of an HTTP upstream that restarted with other tools.
    if (params.config.kind === "http") client.onerror = () => onListChanged();
  }
  const version = client.getNegotiatedProtocolVersion() ?? "";
  const isModern = client.getProtocolEra() === "modern";
  const envelope = isModern ? envelopeOf(version, askableByResult(params.client)) : {};

  const close = async (): Promise<void> => {
    open = false;
    await transport.close();
    markClosed();
  };
  if (isModern && onListChanged !== undefined) void subscribe(client, params.config.connectDeadlineMs, close);

  const request = { transport, envelope, deadlineMs: params.config.connectDeadlineMs };
  const capabilities = client.getServerCapabilities();

  return {
    pid: transport.pid,
    protocolVersion: version,
    isOpen: () => open,
    closed,
    close,
    listTools: () => listAll(request, "tools/list", "tools"),
    listOffers: () => listOffers(request, capabilities),
    read: async (read) => {
      const report = reportOf(
        ...(await exchangeRead(read, { ...request, deadlineMs: params.config.callDeadlineMs })),
      );
      if (report.stale) void close();
      return report;
    },
    watch: watchOn({ ...request, client, onUpdated: params.onResourceUpdated }),
    dispatch: async (call) => {
      const report = await dispatch({ transport, envelope, call, params, isModern });
      if (report.stale) void close();
      return report;
    },
  };
}

/** Asks a modern upstream to tell of changes; when the subscription ends, so has the server we knew. */
async function subscribe(client: Client, timeout: number, close: () => Promise<void>): Promise<void> {
  const { tools, resources, prompts } = client.getServerCapabilities() ?? {};
  const filter = {
    ...(tools?.listChanged === true && { toolsListChanged: true }),
    ...(resources?.listChanged === true && { resourcesListChanged: true }),
    ...(prompts?.listChanged === true && { promptsListChanged: true }),
  };
  if (Object.keys(filter).length === 0) return;
  try {
    const subscription = await client.listen(filter, { timeout });
    await subscription.closed;
  } catch {
    // Without it changes are still found at intervals and before every run after review.
    return;
  }
  await close();
}

function envelopeOf(version: string, capabilities: object): Record<string, unknown> {
  return {
    [PROTOCOL_VERSION_META_KEY]: version,
    [CLIENT_INFO_META_KEY]: CLIENT_INFO,
    [CLIENT_CAPABILITIES_META_KEY]: capabilities,
  };
}

interface DispatchOn {
  readonly transport: RawTransport;
  readonly envelope: Readonly<Record<string, unknown>>;
  readonly call: ConnectionCall;
  readonly params: OpenConnectionParams;
  readonly isModern: boolean;
}

async function dispatch(on: DispatchOn): Promise<DispatchReport> {
  const { transport, call, params } = on;
  const id = `${RAW_ID_PREFIX}${randomUUID()}`;
  const ended = new AbortController();
  let cause: "timeout" | "disconnected" = "disconnected";
  const timer = setTimeout(() => {
    cause = "timeout";
    ended.abort();
  }, params.config.callDeadlineMs);
  let asked = false;
  const request = callRequest(on, id, ended.signal, () => {
    asked = !ended.signal.aborted && params.clock.monotonicMs() <= call.dispatchByMonotonicMs;
    return asked;
  });
  const withdraw = (): void => {
    // Over modern HTTP the end of the response stream says the same.
    if (asked && !(on.isModern && params.config.kind === "http"))
      void sendCancelled(transport, id, on.envelope);
    ended.abort();
  };
  if (call.signal?.aborted === true) withdraw();
  call.signal?.addEventListener("abort", withdraw, { once: true });
  try {
    return reportOf(await transport.exchange(request), cause);
  } finally {
    clearTimeout(timer);
    call.signal?.removeEventListener("abort", withdraw);
  }
}

function callRequest(on: DispatchOn, id: string, signal: AbortSignal, mayWrite: () => boolean): RawRequest {
  const { call, envelope, isModern, params } = on;
  const own = { ...envelope, ...(call.onProgress === undefined ? {} : { progressToken: id }) };
  const mirrors = isModern && params.config.kind === "http" && call.definition !== undefined;
  return {
    id,
    method: "tools/call",
    text: requestText({
      id,
      method: "tools/call",
      params: {
        name: JSON.stringify(call.tool),
        arguments: call.argumentsText,
        inputResponses: call.retry?.inputResponsesText ?? null,
        requestState:
          typeof call.retry?.requestState === "string" ? JSON.stringify(call.retry.requestState) : null,
        _meta: mergeMeta(call.metaText, own),
      },
    }),
    routing: { name: call.tool, meta: envelope },
    headers: mirrors ? mcpParamHeaders(call.definition?.inputSchema, JSON.parse(call.argumentsText)) : {},
    mayWrite,
    onProgress: call.onProgress,
    signal,
  };
}

function reportOf(reply: RawReply, cause: "timeout" | "disconnected"): DispatchReport {
  switch (reply.kind) {
    case "result":
      return { outcome: { kind: "answered", result: reply.result }, stale: false };
    case "error":
      return { outcome: { kind: "protocol_error", error: reply.error }, stale: false };
    case "not_sent":
      return {
        outcome: { kind: "not_sent", late: reply.late, detail: reply.detail },
        stale: reply.stale && !reply.late,
      };
    case "too_large":
      return { outcome: { kind: "too_large", bytes: reply.bytes }, stale: false };
    case "lost":
      return { outcome: { kind: "no_answer", cause }, stale: false };
    default:
      return reply satisfies never;
  }
}

async function sendCancelled(
  transport: RawTransport,
  requestId: string,
  envelope: Readonly<Record<string, unknown>>,
): Promise<void> {
  const _meta = Object.keys(envelope).length === 0 ? {} : { _meta: { ...envelope } };
  const params = { requestId, reason: "The caller withdrew the call.", ..._meta };
  try {
    await transport.send({ jsonrpc: "2.0", method: "notifications/cancelled", params });
  } catch {
    // The connection is gone, and the call with it.
  }
}
