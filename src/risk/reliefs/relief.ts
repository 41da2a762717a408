import type { CallView, Leaf } from "../call-view.ts";
import type { Understood } from "../understanding.ts";

/** An understood argument that says less is done than the tool's name and description fear. */
export interface Relief {
  readonly id: string;
  /** A clause in our words for the rationale. */
  readonly describe: string;
  /** Score of what is left, 0–100. Proposed, not derived from law or data. */
  readonly points: number;
  /** Signals it answers, when their evidence is the name or the description. */
  readonly answers: ReadonlySet<string>;
  /** It also answers evidence in the arguments of the same signals. */
  readonly wholly?: boolean;
  /** What is left is a floor still. */
  readonly firm?: boolean;
  /** What is left is a read. */
  readonly reads?: boolean;
  /** The argument that says so; undefined when nothing does, or something speaks against it. */
  find(view: CallView): Leaf | undefined;
}

export const ids = (text: string): ReadonlySet<string> => new Set(text.split(" "));

export const WORLD =
  "entitlement.decision money.moved money.requested act.destructive outward.sent outward.invitation outward.published world.physical system.operated act.write act.request tool.unclassified";

export const GUARD = "safeguard.bypass access.changed";

export const typed = <T>(all: readonly Understood<T>[], want: (meaning: T) => boolean) =>
  all.find(({ leaf, meaning }) => leaf.typed && want(meaning))?.leaf;

export const every = <T>(all: readonly Understood<T>[], want: (meaning: T, leaf: Leaf) => boolean) =>
  all.length > 0 && all.every(({ leaf, meaning }) => leaf.declared && want(meaning, leaf))
    ? all[0]?.leaf
    : undefined;

/** Nothing is switched on that makes it real or harsher. */
export const noneHarsh = (view: CallView) =>
  !view.understood.on.some(
    ({ meaning }) =>
      meaning === "commit" || meaning === "harsh" || meaning === "bypass" || meaning === "everything",
  );

export const notProduction = (view: CallView) =>
  !view.understood.environments.some(({ meaning }) => meaning === "production");

/** An audience of many; a single address outside is fine for a draft. */
export const outsideOrMany = (view: CallView) =>
  view.understood.recipients.some(({ meaning }) => meaning === "many");
