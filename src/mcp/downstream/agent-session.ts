import { fromJsonSchema, ProtocolError, type Server } from "@modelcontextprotocol/server";
import type { AgentId, CaseRef } from "../../domain/ids.ts";
import type { ClientReply, LiveClient } from "../../governance/live-client.ts";
import { type AgentServerDeps, createAgentServer } from "./agent-server.ts";
import type { Hearings, OfferNews, OpenHearing } from "./hearings.ts";

/** How long a person may take to answer what an upstream asks; the call itself ends at its upstream's deadline. */
const ASK_WITHIN_MS = 10 * 60_000;

const INTERNAL_ERROR = -32603;

const anything = fromJsonSchema<{ readonly [key: string]: unknown }>({});

/** A session of an agent of the older protocol revisions: it can be told of news, and asked what its client declared. */
export interface AgentSession {
  readonly id: string;
  readonly agentId: AgentId;
  readonly server: Server;
  /** Who is behind its calls. */
  readonly client: LiveClient;
  /** Texts of calls that the SDK has not handed to us yet, by their JSON-RPC ids. */
  readonly texts: Map<string | number, string>;
  /** Calls that are being answered. */
  readonly calls: ReadonlySet<string | number>;
  /** What it is told of resources and prompts; whoever ends the session closes it. */
  readonly hearing: OpenHearing;
  /** Takes what the client says of itself in `initialize`, as it says it. */
  learn(message: unknown): void;
  tellToolsChanged(): void;
  tellCaseEnded(ref: CaseRef, state: string): void;
}

export interface AgentSessionDeps extends AgentServerDeps {
  readonly hearings: Pick<Hearings, "open">;
}

export interface AgentSessionParams {
  readonly id: string;
  readonly agentId: AgentId;
  /** Whether messages that belong to no call would reach the client now. */
  readonly isListening: () => boolean;
}

/** @returns a session whose server is not connected yet. Its own upstream connections end with it. */
export function createAgentSession(params: AgentSessionParams, deps: AgentSessionDeps): AgentSession {
  const { id, agentId } = params;
  const texts = new Map<string | number, string>();
  const calls = new Set<string | number>();
  let capabilities: LiveClient["capabilities"] = {};
  const client: LiveClient = {
    session: id,
    asked: "by_request",
    get capabilities() {
      return capabilities;
    },
    ask: (request, signal) => {
      // What an upstream asks during a call goes out with the answer of that call; upstreams do not say of which.
      const call = [...calls].at(-1);
      if (call === undefined && !params.isListening())
        return Promise.resolve(noReply("The client has no open stream on which it could be asked."));
      const options = { signal, timeout: ASK_WITHIN_MS };
      return ask(server, request, call === undefined ? options : { ...options, relatedRequestId: call });
    },
    tell: (notification) => {
      const call = [...calls].at(-1);
      const options = call === undefined ? {} : { relatedRequestId: call };
      server.notification({ ...notification }, options).catch(() => undefined);
    },
  };
  const hearing = deps.hearings.open({ agentId, tell: (news) => tellNews(server, news) });
  const server = createAgentServer(
    {
      agentId,
      live: true,
      listens: false,
      hearing,
      textOf: (callId) => {
        const text = texts.get(callId);
        texts.delete(callId);
        return text;
      },
      clientOf: () => client,
      calls,
    },
    deps,
  );
  return {
    id,
    agentId,
    server,
    client,
    texts,
    calls,
    hearing,
    learn: (message) => {
      capabilities = capabilitiesIn(message) ?? capabilities;
    },
    tellToolsChanged: () => void server.sendToolListChanged().catch(() => undefined),
    tellCaseEnded: (ref, state) => {
      const data = `Your case ${ref} is now ${state}. Ask check_status for more.`;
      const params = { level: "info", logger: "atlas", data } as const;
      server.notification({ method: "notifications/message", params }).catch(() => undefined);
    },
  };
}

function tellNews(server: Server, news: OfferNews): void {
  const sent =
    news.kind === "resource_updated"
      ? server.sendResourceUpdated({ uri: news.uri })
      : news.kind === "resources_list_changed"
        ? server.sendResourceListChanged()
        : server.sendPromptListChanged();
  // A session that is ending hears no more.
  void sent.catch(() => undefined);
}

async function ask(
  server: Server,
  request: Parameters<LiveClient["ask"]>[0],
  options: Parameters<Server["request"]>[2],
): Promise<ClientReply> {
  try {
    return { kind: "result", result: await server.request({ ...request }, anything, options) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) return noReply("The client gave no answer.");
    const { code, message, data } = error;
    return { kind: "error", error: { code, message, ...(data !== undefined && { data }) } };
  }
}

function noReply(message: string): ClientReply {
  return { kind: "error", error: { code: INTERNAL_ERROR, message } };
}

/** undefined when the message is no `initialize`. */
function capabilitiesIn(message: unknown): LiveClient["capabilities"] | undefined {
  if (!isObject(message) || message["method"] !== "initialize") return undefined;
  const declared = isObject(message["params"]) ? message["params"]["capabilities"] : undefined;
  return isObject(declared) ? declared : {};
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
