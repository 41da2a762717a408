import type { UpstreamConfig } from "../../config/config.ts";
import type { CatalogPrompt, CatalogResource, CatalogTemplate, RawDefinition } from "../../domain/offer.ts";
import { MAX_SUBJECT_LENGTH } from "../../governance/govern-read.ts";
import type { UpstreamLog } from "./log.ts";
import { isObject } from "./raw-transport.ts";
import { compileUriTemplate, type UriTemplate } from "./uri-template.ts";

/** What an upstream lists beside tools, raw. */
export interface RawOffers {
  readonly resources: readonly unknown[];
  readonly templates: readonly unknown[];
  readonly prompts: readonly unknown[];
}

export interface MatchingTemplate extends CatalogTemplate {
  readonly matcher: UriTemplate;
}

/** What an upstream lists beside tools, as far as it can be used. */
export interface ListedOffers {
  readonly resources: readonly CatalogResource[];
  readonly templates: readonly MatchingTemplate[];
  readonly prompts: readonly CatalogPrompt[];
}

/** More entries of one kind than this are left out: a list that no client could use. */
const MAX_ENTRIES = 10_000;

/** Steps of all templates of one upstream together, so that no URI makes the gateway work for long. */
const MAX_TEMPLATE_STEPS = 32_768;

/** Reads what an upstream listed; what is malformed, comes twice or is too much is left out with a warning that only counts. */
export function readOffers(config: UpstreamConfig, listed: RawOffers, log: UpstreamLog): ListedOffers {
  const upstream = config.name;
  const resources = entries(listed.resources, "uri").map(({ key, definition }) => ({
    upstream,
    uri: key,
    definition,
  }));
  const templates = compiled(upstream, entries(listed.templates, "uriTemplate"));
  const prompts = entries(listed.prompts, "name").map(({ key, definition }) => ({
    upstream,
    name: key,
    exposedName: `${config.prefix}${key}`,
    definition,
  }));
  const count = listed.resources.length + listed.templates.length + listed.prompts.length;
  const leftOut = count - resources.length - templates.length - prompts.length;
  if (leftOut > 0) log.warn({ upstream, left_out: leftOut }, "resources, templates or prompts were left out");
  return { resources, templates, prompts };
}

interface Entry {
  readonly key: string;
  readonly definition: RawDefinition;
}

function entries(listed: readonly unknown[], member: "uri" | "uriTemplate" | "name"): readonly Entry[] {
  const found = new Map<string, Entry>();
  for (const definition of listed) {
    if (!isObject(definition)) continue;
    const key = definition[member];
    if (typeof key !== "string" || key === "" || key.length > MAX_SUBJECT_LENGTH || found.has(key)) continue;
    if (found.size === MAX_ENTRIES) break;
    found.set(key, { key, definition });
  }
  return [...found.values()];
}

function compiled(upstream: string, listed: readonly Entry[]): readonly MatchingTemplate[] {
  const templates: MatchingTemplate[] = [];
  let steps = 0;
  for (const { key, definition } of listed) {
    const matcher = compileUriTemplate(key);
    if (matcher === null || steps + matcher.size > MAX_TEMPLATE_STEPS) continue;
    steps += matcher.size;
    templates.push({ upstream, uriTemplate: key, definition, matcher });
  }
  return templates;
}
