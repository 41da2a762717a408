import type { AgentId } from "../../domain/ids.ts";
import type { UpstreamOffers } from "../../governance/read-ports.ts";
import { isShown, type RuleReadDeps } from "../../governance/rule-read.ts";
import { PROMPT } from "./protocol-texts.ts";

export interface OfferViewDeps extends RuleReadDeps {
  readonly upstreams: Pick<UpstreamOffers, "listResources" | "listTemplates" | "listPrompts">;
}

/** Resources, templates and prompts as one agent sees them: what policy denies to it is left out. */
export function offersShownTo(agentId: AgentId, governance: OfferViewDeps) {
  const { upstreams } = governance;
  const shown = (upstream: string, kind: "resource" | "prompt", name: string): boolean =>
    isShown({ agentId, upstream, kind, name }, governance);
  return {
    resources: () =>
      upstreams
        .listResources()
        .filter(({ upstream, uri }) => shown(upstream, "resource", uri))
        .map(({ definition }) => definition),
    templates: () =>
      upstreams
        .listTemplates()
        .filter(({ upstream, uriTemplate }) => shown(upstream, "resource", uriTemplate))
        .map(({ definition }) => definition),
    prompts: () => [
      PROMPT,
      ...upstreams
        .listPrompts()
        .filter(({ upstream, name }) => shown(upstream, "prompt", name))
        .map(({ definition, exposedName }) => ({ ...definition, name: exposedName })),
    ],
  };
}
