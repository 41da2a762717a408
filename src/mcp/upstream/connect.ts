import {
  Client,
  type PriorDiscovery,
  ProtocolError,
  SdkError,
  SdkHttpError,
  type VersionNegotiationMode,
} from "@modelcontextprotocol/client";
import type { UpstreamConfig } from "../../config/config.ts";
import { AtlasError } from "../../domain/errors.ts";
import type { LiveClient } from "../../governance/live-client.ts";
import { codeOf } from "./child-process.ts";
import { askableByRequest, passOn } from "./client-messages.ts";
import { HttpTransport } from "./http-transport.ts";
import type { UpstreamLog } from "./log.ts";
import type { RawTransport } from "./raw-transport.ts";
import { SseTransport } from "./sse-transport.ts";
import { type ChildGrace, StdioTransport } from "./stdio-transport.ts";

export const CLIENT_INFO = { name: "atlas-gateway", version: "0.1.0" } as const;
const NEWEST_MODERN = "2026-07-28";

/** What a connection to this upstream learned of the protocol it speaks, for the next connection. */
export interface EraMemory {
  verdict: PriorDiscovery | null;
}

export interface ConnectParams {
  readonly config: UpstreamConfig;
  readonly log: UpstreamLog;
  readonly era: EraMemory;
  /** Ask again what the upstream speaks even if it is remembered. */
  readonly probe: boolean;
  /** Whom the upstream may ask on this connection; null: nobody, and no capability is declared. */
  readonly client: LiveClient | null;
  /** Longest message that is taken from the upstream. */
  readonly maxResultBytes: number;
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
  readonly grace?: ChildGrace | undefined;
}

export interface Connected {
  readonly client: Client;
  readonly transport: RawTransport;
}

/**
 * Connects and agrees on a protocol version. What is declared to the upstream is what the client behind the connection
 * declared; without one nobody here could answer what an upstream asks back.
 *
 * @throws AtlasError when it fails or takes longer than the upstream's connect deadline.
 */
export async function connect(params: ConnectParams): Promise<Connected> {
  const { config, era } = params;
  const known = params.probe ? null : era.verdict;
  try {
    const connected =
      config.kind === "http" ? await connectHttp(params, known) : await connectStdio(params, known);
    const discover = connected.client.getDiscoverResult();
    era.verdict = discover === undefined ? { kind: "legacy" } : { kind: "modern", discover };
    return connected;
  } catch (error) {
    era.verdict = null;
    throw new AtlasError(
      "upstream.unreachable",
      `Upstream ${config.name} could not be reached: ${reasonOf(error)}.`,
    );
  }
}

async function connectHttp(params: ConnectParams, known: PriorDiscovery | null): Promise<Connected> {
  const { config, maxResultBytes } = params;
  if (config.kind !== "http") throw new TypeError("not an HTTP upstream");
  // The transport of 2024-11-05 carries only what that time knew.
  if (config.transport === "sse")
    return await attempt(params, new SseTransport(config, maxResultBytes), "legacy", null);
  return await attempt(params, new HttpTransport(config, maxResultBytes), "auto", known);
}

/** A child that knows only the older protocol may end on an unknown first request, so the older handshake goes first. */
async function connectStdio(params: ConnectParams, known: PriorDiscovery | null): Promise<Connected> {
  const { config, log, grace, maxResultBytes } = params;
  if (config.kind !== "stdio") throw new TypeError("not a stdio upstream");
  const transport = (): StdioTransport =>
    new StdioTransport({ config, log, maxResultBytes, ...(grace === undefined ? {} : { grace }) });
  if (known?.kind === "modern") return await attempt(params, transport(), { pin: NEWEST_MODERN }, null);
  try {
    return await attempt(params, transport(), "legacy", null);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return await attempt(params, transport(), { pin: NEWEST_MODERN }, null);
  }
}

async function attempt(
  params: ConnectParams,
  transport: RawTransport,
  mode: VersionNegotiationMode,
  prior: PriorDiscovery | null,
): Promise<Connected> {
  const timeout = params.config.connectDeadlineMs;
  const capabilities = askableByRequest(params.client);
  const client = new Client(CLIENT_INFO, { capabilities, versionNegotiation: { mode } });
  if (params.client !== null) passOn(client, params.client);
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new AtlasError("upstream.unreachable", `no answer within ${timeout} ms`)),
    timeout,
  );
  const stopped = (): void => reject(new AtlasError("upstream.unreachable", "the gateway is stopping"));
  params.signal?.addEventListener("abort", stopped, { once: true });
  const connecting = client.connect(transport, { timeout, ...(prior === null ? {} : { prior }) });
  try {
    await Promise.race([connecting, tooLate]);
    return { client, transport };
  } catch (error) {
    void connecting.catch(() => undefined);
    void transport.close().catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
    params.signal?.removeEventListener("abort", stopped);
  }
}

/** What may be said of a failure: our own words and codes, never text that the upstream or the system made of the request. */
export function reasonOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof AtlasError) return at.message;
    if (at instanceof SdkHttpError) return `HTTP status ${at.data.status}`;
    if (at instanceof ProtocolError) return `JSON-RPC error ${at.code}`;
    if (at instanceof SdkError && at.cause === undefined) return at.code;
  }
  return codeOf(error);
}
