import type { CallView } from "../call-view.ts";
import { LOW_STAKE } from "../lexicon.ts";
import { actOf, type Signal } from "../signal.ts";
import { selects } from "../understanding.ts";

const base = (points: number, evidence: string) => [{ points, role: "base" as const, evidence }];

/** A read by its name, or a lone SELECT, with nothing else found: 12. Proposed, not derived from law or data. */
export const read: Signal = {
  id: "act.read",
  describe: "it only reads",
  evaluate(view) {
    return readsOnly(view) ? base(12, "/name") : [];
  },
};

/** Whether name, description and arguments agree that the call reads. */
export function readsOnly(view: CallView): boolean {
  return (
    (view.namedRead || (selects(view) && actOf(view, "change", "create", "destroy") === undefined)) &&
    !view.acts.some((act) => !act.kinds.has("execute") || act.pointer !== "/name")
  );
}

/**
 * Adding something: 60, 40 for what is undone in one step (a directory keeps nothing and overwrites nothing).
 * Changing something in place: 70, 45 for what harms nobody. Proposed, not derived from law or data.
 */
export const write: Signal = {
  id: "act.write",
  describe: "it adds or changes something",
  evaluate(view) {
    const small = LOW_STAKE.test(view.name.words);
    const named = view.acts.filter((act) => act.pointer !== "/description" || view.namedRead);
    const change = named.find(
      (act) =>
        act.kinds.has("change") ||
        act.kinds.has("destroy") ||
        act.kinds.has("move_things") ||
        act.kinds.has("pay") ||
        act.kinds.has("decide"),
    );
    if (change !== undefined) return base(small && change.pointer === "/name" ? 45 : 70, change.pointer);
    const create = named.find((act) => act.kinds.has("create"));
    return create === undefined ? [] : base(small ? 40 : 60, create.pointer);
  },
};

/** Asking someone for something that is no payment: 55. Proposed. */
export const request: Signal = {
  id: "act.request",
  describe: "it asks for something on someone's behalf",
  evaluate(view) {
    const act = actOf(view, "request");
    return act === undefined ? [] : base(55, act.pointer);
  },
};

/**
 * Neither name nor arguments say what it does: 70, so a human looks; 60 when at least the description opens with what
 * it shows or computes and no act is found anywhere. Proposed, not derived from law or data.
 */
export const unclassified: Signal = {
  id: "tool.unclassified",
  describe: "its name does not say what it does",
  evaluate(view) {
    if (readsOnly(view)) return [];
    const known = view.acts.some(
      (act) =>
        act.pointer === "/name" && [...act.kinds].some((kind) => kind !== "execute" && kind !== "access"),
    );
    return known ? [] : base(view.describedRead && view.acts.length === 0 ? 60 : 70, "/name");
  },
};
