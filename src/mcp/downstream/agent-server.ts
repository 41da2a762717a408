import { ProtocolError, ProtocolErrorCode, Server, type ServerContext } from "@modelcontextprotocol/server";
import type { AgentId } from "../../domain/ids.ts";
import type { GovernCallDeps } from "../../governance/govern-call.ts";
import type { GovernReadDeps } from "../../governance/govern-read.ts";
import type { LiveClient } from "../../governance/live-client.ts";
import type { RawResult } from "../../governance/ports.ts";
import { answerCall } from "./answer-call.ts";
import { advertisedTools } from "./catalog-view.ts";
import type { InFlight } from "./in-flight.ts";
import { argumentsTextOf, forwardedMetaOf, retryOf, toolNameOf } from "./message-texts.ts";
import { callOwnTool, isOwnTool } from "./own-tools.ts";
import { GOVERNANCE_PROTOCOL } from "./protocol-texts.ts";
import { type Hearing, READ_METHODS } from "./reads.ts";

export interface AgentServerDeps {
  readonly governance: GovernCallDeps & GovernReadDeps;
  readonly version: string;
  /** Where a refusal that is our own fault is written. */
  readonly onError: (error: unknown) => void;
  readonly inFlight: InFlight;
}

export interface AgentServerParams {
  readonly agentId: AgentId;
  /** Text of a `tools/call` of this agent by its JSON-RPC id. */
  readonly textOf: (id: string | number) => string | undefined;
  /** The connection stays open, so the agent can be told of news. */
  readonly live: boolean;
  /** Who is behind a call, where an upstream may ask back; undefined when nobody could answer. */
  readonly clientOf?: (ctx: ServerContext) => LiveClient | undefined;
  /** Takes in the ids of calls while they are being answered. */
  readonly calls?: Set<string | number>;
  /** The agent opens a stream of its own for news, as the 2026 revision has it. */
  readonly listens: boolean;
  readonly hearing: Hearing | null;
}

interface Request {
  readonly method: string;
  readonly params?: { readonly [key: string]: unknown } | undefined;
}

type Handler = (
  request: Request,
  ctx: ServerContext,
  params: AgentServerParams,
  deps: AgentServerDeps,
) => Promise<RawResult>;

/** Every method an agent may call; all others are refused. */
const METHODS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["tools/list", listTools],
  ["tools/call", callTool],
  ...[...READ_METHODS].map(([method, serve]): [string, Handler] => [
    method,
    (request, ctx, params, deps) =>
      serve(request, ctx, { ...params, client: askableDuringReads(params.clientOf?.(ctx)) }, deps),
  ]),
]);

export function isServedMethod(method: string): boolean {
  return METHODS.has(method);
}

/** What the gateway says of itself in every protocol revision. */
export function serverInfo(version: string) {
  return { name: "atlas-gateway", title: "ATLAS Governance Gateway", version };
}

/**
 * An MCP server for one agent. Requests are taken raw (the SDK's typed handlers would strip fields
 * they do not know), so what reaches governance is the text, and what reaches the agent is the upstream's answer.
 */
export function createAgentServer(params: AgentServerParams, deps: AgentServerDeps): Server {
  const server = new Server(serverInfo(deps.version), {
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: params.live || params.listens },
      completions: {},
      ...(params.live && { logging: {} }),
    },
    instructions: GOVERNANCE_PROTOCOL,
  });
  server.fallbackRequestHandler = async (request, ctx) => {
    const handler = METHODS.get(request.method);
    if (handler === undefined) throw new ProtocolError(ProtocolErrorCode.MethodNotFound, "Method not found");
    return deps.inFlight.run(() => handler(request, ctx, params, deps));
  };
  return server;
}

/** A question that comes as the result of a read would be taken for its answer, so no upstream is told that it may ask so. */
function askableDuringReads(client: LiveClient | undefined): LiveClient | null {
  return client?.asked === "by_request" ? client : null;
}

async function listTools(
  _request: Request,
  _ctx: ServerContext,
  _params: AgentServerParams,
  deps: AgentServerDeps,
): Promise<RawResult> {
  return { tools: advertisedTools(deps.governance.upstreams.listTools()) };
}

async function callTool(
  _request: Request,
  ctx: ServerContext,
  params: AgentServerParams,
  deps: AgentServerDeps,
): Promise<RawResult> {
  const text = params.textOf(ctx.mcpReq.id);
  // Name and arguments from the same text, so that no other message's arguments can be governed under this name.
  const name = text === undefined ? undefined : toolNameOf(text);
  if (name === undefined || text === undefined) {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "params.name must be the name of a tool");
  }
  const onProgress = progressSender(ctx);
  if (isOwnTool(name)) return callOwn(name, text, ctx, params, deps);
  params.calls?.add(ctx.mcpReq.id);
  try {
    return await answerCall(
      {
        agentId: params.agentId,
        exposedName: name,
        argumentsText: argumentsTextOf(text),
        metaText: forwardedMetaOf(text),
        client: params.clientOf?.(ctx),
        retry: retryOf(text),
        signal: ctx.mcpReq.signal,
        ...(onProgress && { onProgress }),
      },
      deps,
    );
  } finally {
    params.calls?.delete(ctx.mcpReq.id);
  }
}

async function callOwn(
  name: string,
  text: string,
  ctx: ServerContext,
  params: AgentServerParams,
  deps: AgentServerDeps,
): Promise<RawResult> {
  const args: unknown = JSON.parse(argumentsTextOf(text));
  const sendProgress = progressSender(ctx);
  let waited = 0;
  return callOwnTool(
    {
      agentId: params.agentId,
      name,
      args: typeof args === "object" && args !== null ? { ...args } : {},
      signal: AbortSignal.any([ctx.mcpReq.signal, deps.inFlight.stopping]),
      ...(sendProgress && {
        onWaiting: () => sendProgress({ progress: ++waited, message: "Still waiting for a decision." }),
      }),
    },
    deps.governance.store,
  );
}

/** Sends progress to the agent if it asked for it, under its own token. */
function progressSender(
  ctx: ServerContext,
): ((progress: { readonly [key: string]: unknown }) => void) | undefined {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress) => {
    // An agent that went away misses its progress; the call goes on.
    ctx.mcpReq
      .notify({ method: "notifications/progress", params: { ...progress, progressToken } })
      .catch(() => undefined);
  };
}
