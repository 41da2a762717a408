import { AsyncLocalStorage } from "node:async_hooks";
import type { ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";
import type { AgentId } from "../../domain/ids.ts";
import { type GovernReadDeps, governRead } from "../../governance/govern-read.ts";
import type { Hearings, OpenHearing } from "./hearings.ts";

/** Resources that one stream may ask for. */
const MAX_ASKED = 256;

/** News on streams that agents of the 2026 revision open with `subscriptions/listen`. */
export interface ListenBus extends ServerEventBus {
  /**
   * Serves a request that may open a stream: what the agent may not read is taken out of what it listens for, and the
   * rest is watched until the stream ends.
   */
  serve(
    request: { readonly agentId: AgentId; readonly body: unknown },
    fetch: (body: unknown) => Promise<Response>,
  ): Promise<Response>;
}

interface Stream {
  readonly agentId: AgentId;
  readonly watches: readonly { readonly uri: string; readonly upstream: string; readonly end: () => void }[];
  opened: boolean;
}

export interface ListenDeps {
  readonly governance: GovernReadDeps;
  readonly hearings: Hearings;
}

/**
 * The SDK keeps the streams and knows nothing of agents, and asks this bus for news as it opens one. Whose stream that is
 * travels with the request's asynchronous context.
 */
export function createListenBus({ governance, hearings }: ListenDeps): ListenBus {
  const opening = new AsyncLocalStorage<Stream>();
  /** Streams hear of tools here, and of all else through their hearing. */
  const everyone = new Set<(event: ServerEvent) => void>();

  return {
    publish: (event) => {
      for (const listener of everyone) listener(event);
    },
    subscribe: (listener) => {
      const stream = opening.getStore();
      everyone.add(listener);
      const hearing = stream === undefined ? null : open(stream, listener, hearings);
      return () => {
        everyone.delete(listener);
        hearing?.close();
      };
    },
    serve: async ({ agentId, body }, fetch) => {
      const asked = askedResources(body);
      if (asked === null) return fetch(body);
      const watches = await allowedWatches(agentId, asked.uris, governance);
      const stream: Stream = { agentId, watches, opened: false };
      try {
        return await opening.run(stream, () => fetch(asked.bodyWith(watches.map(({ uri }) => uri))));
      } finally {
        if (!stream.opened) for (const watch of watches) watch.end();
      }
    },
  };
}

function open(stream: Stream, listener: (event: ServerEvent) => void, hearings: Hearings): OpenHearing {
  stream.opened = true;
  const hearing = hearings.open({ agentId: stream.agentId, tell: listener });
  for (const watch of stream.watches) hearing.keep(watch);
  return hearing;
}

/** @returns the watches that policy lets through and the upstream takes */
async function allowedWatches(
  agentId: AgentId,
  uris: readonly string[],
  governance: GovernReadDeps,
): Promise<Stream["watches"]> {
  const watches: Stream["watches"][number][] = [];
  for (const uri of uris) {
    const answer = await governRead(
      {
        agentId,
        method: "resources/subscribe",
        target: { kind: "resource", uri },
        params: () => ({}),
        metaText: null,
      },
      governance,
    );
    if (answer.kind === "watching") watches.push({ uri, upstream: answer.upstream, end: answer.end });
  }
  return watches;
}

/** What a `subscriptions/listen` asks to hear of; null for any other body. What is malformed is left for the SDK to refuse. */
function askedResources(body: unknown): {
  readonly uris: readonly string[];
  readonly bodyWith: (uris: readonly string[]) => unknown;
} | null {
  if (!isObject(body) || body["method"] !== "subscriptions/listen") return null;
  const { params } = body;
  const notifications = isObject(params) ? params["notifications"] : undefined;
  const asked = isObject(notifications) ? notifications["resourceSubscriptions"] : undefined;
  if (!isObject(params) || !isObject(notifications) || !Array.isArray(asked)) {
    return { uris: [], bodyWith: () => body };
  }
  const texts = asked.filter((uri: unknown) => typeof uri === "string");
  if (texts.length < asked.length) return { uris: [], bodyWith: () => body };
  return {
    uris: [...new Set(texts)].slice(0, MAX_ASKED),
    bodyWith: (resourceSubscriptions) => ({
      ...body,
      params: { ...params, notifications: { ...notifications, resourceSubscriptions } },
    }),
  };
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
