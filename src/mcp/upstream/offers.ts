import type { UpstreamConfig } from "../../config/config.ts";
import { resourceScope } from "../../config/resource-scope.ts";
import type { CatalogPrompt, CatalogResource } from "../../domain/offer.ts";
import type { ResourceRoute, UpstreamOffers } from "../../governance/read-ports.ts";
import type { ListedOffers } from "./listed-offers.ts";
import type { UpstreamLog } from "./log.ts";
import { createOwnership, type Owner } from "./ownership.ts";
import { isPlainUri } from "./plain-uri.ts";
import { createRankedTemplates } from "./ranked-templates.ts";

/** The gateway's own prompt; an upstream's prompt of that exposed name is not offered. */
export const RESERVED_PROMPT_NAMES: readonly string[] = ["governance_protocol"];

/** What changed in what agents can be offered. */
export interface OffersChange {
  readonly resources: boolean;
  readonly prompts: boolean;
}

type Queries = Pick<
  UpstreamOffers,
  "listResources" | "listTemplates" | "listPrompts" | "routeResource" | "findTemplate" | "findPrompt"
>;

/** Resources, templates and prompts of all upstreams. An upstream that is down keeps what it had. */
export interface Offers extends Queries {
  readonly replace: (upstream: string, listed: ListedOffers) => void;
  /** Takes another configuration: what an upstream offered at another endpoint, or offers no more by it, is forgotten. */
  readonly configure: (upstreams: readonly UpstreamConfig[]) => void;
  readonly onChange: (listener: (change: OffersChange) => void) => () => void;
}

export interface OffersParams {
  /** In order of precedence. */
  readonly upstreams: readonly UpstreamConfig[];
  readonly log: UpstreamLog;
}

interface Offered {
  /** What it listed, whatever its configuration lets it have. */
  readonly listed: ListedOffers;
  /** What it was listed under. */
  readonly config: UpstreamConfig;
  readonly resources: readonly CatalogResource[];
  readonly prompts: readonly CatalogPrompt[];
}

/** Where URIs and prompt names lead; `ownership.ts` has the rules for names that several upstreams offer. */
export function createOffers(params: OffersParams): Offers {
  const scopes = createScopes(params.upstreams);
  const uris = createOwnership(scopes.order());
  const names = createOwnership(scopes.order());
  const templates = createRankedTemplates(scopes.order(), scopes.mayAnswer);
  const current = new Map<string, Offered>();
  const warnOf = createQuarantineWarning(params.log);

  const listResources = (): readonly CatalogResource[] =>
    scopes
      .order()
      .flatMap((upstream) =>
        (current.get(upstream)?.resources ?? []).filter(({ uri }) => isOwner(uris.ownerOf(uri), upstream)),
      );
  const listPrompts = (): readonly CatalogPrompt[] =>
    scopes
      .order()
      .flatMap((upstream) =>
        (current.get(upstream)?.prompts ?? []).filter((p) => isOwner(names.ownerOf(p.exposedName), upstream)),
      );
  const changes = createChanges(() => ({
    resources: JSON.stringify([listResources(), templates.list()]),
    prompts: JSON.stringify(listPrompts()),
  }));

  const take = (config: UpstreamConfig, listed: ListedOffers): void => {
    const { name: upstream } = config;
    const resources = listed.resources.filter(({ uri }) => scopes.mayAnswer(upstream, uri));
    const prompts = listed.prompts
      .map((prompt) => ({ ...prompt, exposedName: `${config.prefix}${prompt.name}` }))
      .filter((prompt) => !RESERVED_PROMPT_NAMES.includes(prompt.exposedName));
    current.set(upstream, { listed, config, resources, prompts });
    const listedUris = resources.map(({ uri }) => uri);
    uris.replace(upstream, listedUris, templates.ownerOf);
    const exposed = prompts.map((prompt) => prompt.exposedName);
    names.replace(upstream, exposed, () => null);
    templates.replace(upstream, listed.templates);
    warnOf(upstream, uris.quarantined(upstream).length + names.quarantined(upstream).length);
  };

  return {
    replace: (upstream, listed) => {
      const config = scopes.configOf(upstream);
      if (config === undefined) return;
      take(config, listed);
      changes.tell();
    },
    configure: (next) => {
      scopes.configure(next);
      for (const [upstream, { config }] of current) {
        const now = scopes.configOf(upstream);
        if (now?.fingerprint !== config.fingerprint) {
          current.delete(upstream);
          for (const kept of [uris, names, templates]) kept.forget(upstream);
        } else if (now.prefix !== config.prefix) names.forget(upstream);
      }
      uris.configure(scopes.order(), scopes.mayAnswer);
      names.configure(scopes.order(), scopes.mayName);
      templates.configure(scopes.order());
      for (const config of next) {
        const kept = current.get(config.name);
        if (kept !== undefined) take(config, kept.listed);
      }
      changes.tell();
    },
    onChange: changes.listen,
    routeResource: (uri) => {
      const owner = uris.ownerOf(uri);
      if (owner?.kind === "owned") return { kind: "found", upstream: owner.upstream };
      return routeByTemplate(uri, templates.ownerOf(uri), owner);
    },
    listResources,
    listTemplates: templates.list,
    listPrompts,
    findTemplate: templates.find,
    findPrompt: (exposedName) => {
      const owner = names.ownerOf(exposedName);
      if (owner === null) return undefined;
      if (owner.kind === "quarantined") return "quarantined";
      return current.get(owner.upstream)?.prompts.find((prompt) => prompt.exposedName === exposedName);
    },
  };
}

/** A URI that nobody lists, or only upstreams that came second. */
function routeByTemplate(uri: string, upstream: string | null, owner: Owner | null): ResourceRoute {
  if (owner?.kind === "quarantined" && owner.behind !== upstream) return { kind: "quarantined" };
  if (upstream === null) return { kind: "unknown" };
  return isPlainUri(uri) ? { kind: "found", upstream } : { kind: "ambiguous" };
}

/** What each upstream may have, as it is configured now. */
function createScopes(first: readonly UpstreamConfig[]) {
  const compile = (upstreams: readonly UpstreamConfig[]) =>
    new Map(upstreams.map((config) => [config.name, { config, scope: resourceScope(config) }]));
  let scopes = compile(first);
  return {
    configure: (next: readonly UpstreamConfig[]): void => {
      scopes = compile(next);
    },
    order: (): readonly string[] => [...scopes.keys()],
    configOf: (upstream: string): UpstreamConfig | undefined => scopes.get(upstream)?.config,
    mayAnswer: (upstream: string, uri: string): boolean => scopes.get(upstream)?.scope(uri) === true,
    mayName: (upstream: string, exposedName: string): boolean =>
      exposedName.startsWith(scopes.get(upstream)?.config.prefix ?? "\0"),
  };
}

interface Seen {
  readonly resources: string;
  readonly prompts: string;
}

/** Tells of what agents can see, and only when it is another. */
function createChanges(look: () => Seen) {
  const listeners = new Set<(change: OffersChange) => void>();
  let told = look();
  return {
    listen: (listener: (change: OffersChange) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell: (): void => {
      const now = look();
      const change = {
        resources: now.resources !== told.resources,
        prompts: now.prompts !== told.prompts,
      };
      told = now;
      if (change.resources || change.prompts) for (const listener of listeners) listener(change);
    },
  };
}

function isOwner(owner: Owner | null, upstream: string): boolean {
  return owner?.kind === "owned" && owner.upstream === upstream;
}

/** Names may hold what must not be in a log, so it only counts; and it says so once. */
function createQuarantineWarning(log: UpstreamLog): (upstream: string, quarantined: number) => void {
  const warned = new Map<string, number>();
  return (upstream, quarantined) => {
    if (quarantined > (warned.get(upstream) ?? 0)) {
      log.warn({ upstream, quarantined }, "resources or prompts are another upstream's and were quarantined");
    }
    warned.set(upstream, quarantined);
  };
}
