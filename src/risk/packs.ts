import type { Pack } from "./packs/pack.ts";
import { welfare } from "./packs/welfare.ts";
import type { Signal } from "./signal.ts";
import { SIGNALS } from "./signals.ts";

/** Every domain pack there is; another one is a file in `packs/` and a line here. */
const PACKS: readonly Pack[] = [welfare];

export const PACK_IDS: readonly string[] = PACKS.map((pack) => pack.id);

/** Ids of the packs' signals: an operator who chooses a pack has its factors counted in full, whatever the estimate. */
export const PACK_SIGNALS: ReadonlySet<string> = new Set(
  PACKS.flatMap(({ signals }) => signals.map(({ id }) => id)),
);

/** Packs that are on unless the configuration says otherwise. */
export const DEFAULT_PACKS: readonly string[] = ["welfare"];

/** General signals and those of the named packs; throws when there is no such pack, for a factor left out by a typing error is never seen. */
export function signalsOf(packs: readonly string[]): readonly Signal[] {
  return [
    ...SIGNALS,
    ...packs.flatMap((id) => {
      const pack = PACKS.find((known) => known.id === id);
      if (pack === undefined)
        throw new Error(`There is no risk pack ${id}; known are ${PACK_IDS.join(", ")}.`);
      return pack.signals;
    }),
  ];
}
