import type { DispatchOutcome } from "./ports.ts";
import type { ReadDispatchParams, ResourceRoute, UpstreamOffers } from "./read-ports.ts";

/** Resources of one upstream, `bank`, that does what the test says and counts what reached it. */
export interface ScriptedOffers extends UpstreamOffers {
  readonly asked: ReadDispatchParams[];
  /** What the next reads are answered. */
  reply: (read: ReadDispatchParams) => Promise<DispatchOutcome> | DispatchOutcome;
  /** Where URIs lead; the default is to `bank` for all that begin with `bank://`, and to `rival` for `rival://`. */
  route: (uri: string) => ResourceRoute;
  /** URIs that are watched now. */
  readonly watched: string[];
  takesWatches: boolean;
}

export function createScriptedOffers(): ScriptedOffers {
  const asked: ReadDispatchParams[] = [];
  const watched: string[] = [];
  const offers: ScriptedOffers = {
    asked,
    watched,
    takesWatches: true,
    reply: () => ({
      kind: "answered",
      result: { contents: [{ uri: "bank://rates", text: "SECRET-RATES" }] },
    }),
    route: (uri) => {
      const upstream = /^(bank|rival):\/\//u.exec(uri)?.[1];
      return upstream === undefined ? { kind: "unknown" } : { kind: "found", upstream };
    },
    listResources: () => [{ upstream: "bank", uri: "bank://rates", definition: { uri: "bank://rates" } }],
    listTemplates: () => [
      { upstream: "bank", uriTemplate: "bank://{id}", definition: { uriTemplate: "bank://{id}" } },
    ],
    listPrompts: () => [
      { upstream: "bank", name: "ask", exposedName: "bank_ask", definition: { name: "ask" } },
    ],
    routeResource: (uri) => offers.route(uri),
    findTemplate: (text) => offers.listTemplates().find(({ uriTemplate }) => uriTemplate === text),
    findPrompt: (name) => offers.listPrompts().find(({ exposedName }) => exposedName === name),
    read: async (params) => {
      asked.push(params);
      return offers.reply(params);
    },
    watchResource: async ({ uri }) => {
      if (!offers.takesWatches) return null;
      watched.push(uri);
      return () => void watched.splice(watched.indexOf(uri), 1);
    },
  };
  return offers;
}
