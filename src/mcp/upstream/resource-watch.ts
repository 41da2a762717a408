import type { Client } from "@modelcontextprotocol/client";
import type { RequestOn } from "./listing.ts";
import { exchangeRead } from "./reading.ts";

/** The resources that one connection hears of. */
export interface ResourceWatch {
  /** @returns whether the upstream took the subscription. Never throws. */
  add(uri: string): Promise<boolean>;
  /** Never throws. */
  remove(uri: string): Promise<void>;
}

export interface WatchOn extends RequestOn {
  readonly client: Client;
  readonly onUpdated: ((uri: string) => void) | undefined;
}

/** undefined when nobody listens here, or the upstream takes no subscriptions. */
export function watchOn(on: WatchOn): ResourceWatch | undefined {
  const { client, onUpdated } = on;
  if (onUpdated === undefined || client.getServerCapabilities()?.resources?.subscribe !== true)
    return undefined;
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => onUpdated(params.uri));
  return client.getProtocolEra() === "modern" ? listening(on) : subscribing(on);
}

function subscribing(on: WatchOn): ResourceWatch {
  const ask = async (method: string, uri: string): Promise<boolean> => {
    const [reply] = await exchangeRead({ method, params: { uri: JSON.stringify(uri) }, metaText: null }, on);
    return reply.kind === "result";
  };
  return {
    add: (uri) => ask("resources/subscribe", uri),
    remove: async (uri) => {
      await ask("resources/unsubscribe", uri);
    },
  };
}

/** The 2026 revision names all resources in one stream, so each change of the set opens a new stream before the old one ends. */
function listening({ client, deadlineMs }: WatchOn): ResourceWatch {
  const wanted = new Set<string>();
  let stream: { close(): Promise<void> } | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  const reopen = async (): Promise<boolean> => {
    const previous = stream;
    try {
      stream =
        wanted.size === 0
          ? null
          : await client.listen({ resourceSubscriptions: [...wanted] }, { timeout: deadlineMs });
      await previous?.close();
      return true;
    } catch {
      // The old stream, if any, goes on with what it had.
      return false;
    }
  };
  const next = (change: () => void): Promise<boolean> => {
    const done = turn.then(() => {
      change();
      return reopen();
    });
    turn = done;
    return done;
  };
  return {
    add: async (uri) => {
      const taken = await next(() => wanted.add(uri));
      if (!taken) wanted.delete(uri);
      return taken;
    },
    remove: async (uri) => {
      await next(() => wanted.delete(uri));
    },
  };
}
