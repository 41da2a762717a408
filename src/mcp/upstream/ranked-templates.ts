import type { CatalogTemplate } from "../../domain/offer.ts";
import type { MatchingTemplate } from "./listed-offers.ts";

interface RankedTemplate extends MatchingTemplate {
  /** 0 for what the upstream's first list had; later ones in order of appearance. */
  readonly rank: number;
}

/** Templates of all upstreams, in the order in which they are tried. */
export interface RankedTemplates {
  readonly replace: (upstream: string, listed: readonly MatchingTemplate[]) => void;
  readonly configure: (order: readonly string[]) => void;
  readonly forget: (upstream: string) => void;
  /** The upstream whose template matches the URI; null when none does. */
  readonly ownerOf: (uri: string) => string | null;
  /** Each template once, of the upstream that has it. */
  readonly list: () => readonly CatalogTemplate[];
  readonly find: (uriTemplate: string) => CatalogTemplate | undefined;
}

/**
 * What upstreams list first stands in the order of the configuration, and then of their lists; a template that appears
 * later stands behind all that were there, so that it takes no URI from them.
 *
 * @param inScope whether an upstream may answer for a URI
 */
export function createRankedTemplates(
  order: readonly string[],
  inScope: (upstream: string, uri: string) => boolean,
): RankedTemplates {
  let inOrder = order;
  const listedBefore = new Set<string>();
  let templates: readonly RankedTemplate[] = [];
  let lastRank = 0;
  const sorted = (all: readonly RankedTemplate[]): readonly RankedTemplate[] =>
    all.toSorted((a, b) => a.rank - b.rank || inOrder.indexOf(a.upstream) - inOrder.indexOf(b.upstream));

  return {
    replace: (upstream, listed) => {
      const isFirst = !listedBefore.has(upstream);
      listedBefore.add(upstream);
      const known = new Map(
        templates.filter((t) => t.upstream === upstream).map((t) => [t.uriTemplate, t.rank]),
      );
      const ranked = listed.map((template) => {
        const rank = known.get(template.uriTemplate) ?? (isFirst ? 0 : ++lastRank);
        return { ...template, rank };
      });
      const others = templates.filter((template) => template.upstream !== upstream);
      templates = sorted([...others, ...ranked]);
    },
    configure: (next) => {
      inOrder = next;
      templates = sorted(templates);
    },
    forget: (upstream) => {
      listedBefore.delete(upstream);
      templates = templates.filter((template) => template.upstream !== upstream);
    },
    ownerOf: (uri) =>
      templates.find((t) => inScope(t.upstream, uri) && t.matcher.matches(uri))?.upstream ?? null,
    list: () => [...new Map(templates.toReversed().map((t) => [t.uriTemplate, t])).values()].toReversed(),
    find: (uriTemplate) => templates.find((template) => template.uriTemplate === uriTemplate),
  };
}
