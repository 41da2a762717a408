import type { Act, CallView, Place } from "./call-view.ts";
import type { ActKind } from "./lexicon.ts";
import type { Phrases } from "./phrases.ts";

/** One reason a signal found. */
export interface Finding {
  /** Points: a base is what the reason alone would score, a modifier is added to the highest base. 0–100. */
  readonly points: number;
  /**
   * `floor`: no word, hint or annotation lowers it. `base`: a starting point that a trusted `readOnlyHint` may lower.
   * `modifier`: counts only on top of a floor or base of 40 or more.
   */
  readonly role: "floor" | "base" | "modifier";
  /** JSON pointer; see `RiskFactor.evidence`. */
  readonly evidence: string;
}

/** One family of evidence. Signals never see each other's findings and only ever add. */
export interface Signal {
  readonly id: string;
  /** A clause in our words for the rationale, e.g. `it moves money`. */
  readonly describe: string;
  /** Legal or framework tag. */
  readonly tag?: string;
  evaluate(view: CallView): readonly Finding[];
}

export function floor(points: number, evidence: string): readonly Finding[] {
  return [{ points, role: "floor", evidence }];
}

export function modifier(points: number, evidence: string): readonly Finding[] {
  return [{ points, role: "modifier", evidence }];
}

/** The first act of one of the kinds. */
export function actOf(view: CallView, ...kinds: readonly ActKind[]): Act | undefined {
  return view.acts.find((act) => kinds.some((kind) => act.kinds.has(kind)));
}

/** Where the call names such a thing; its own name first. */
export function placeOf(places: readonly Place[], pattern: Phrases | RegExp): string | undefined {
  return places.find((place) => pattern.test(place.words))?.pointer;
}

/** Whether the call does something else than read, as far as its own words go. */
export function writes(view: CallView): boolean {
  return view.acts.length > 0 || !view.namedRead;
}
