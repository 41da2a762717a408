import { HAZARD } from "../lexicon.ts";
import { isField } from "../understanding.ts";
import { every, ids, noneHarsh, type Relief, typed } from "./relief.ts";

export const underway: Relief = {
  id: "argument.underway",
  describe: "it only marks something as under way",
  points: 46,
  answers: ids(
    "outward.sent entitlement.decision act.write act.destructive tool.unclassified act.request system.operated data.protected",
  ),
  find(view) {
    const states = view.understood.statuses;
    return noneHarsh(view) && states.every(({ meaning }) => meaning === "underway" || meaning === "draft")
      ? typed(states, (meaning) => meaning === "underway")
      : undefined;
  },
};

/** Every changed field is one that harms nobody. */
export const field: Relief = {
  id: "argument.trifling_field",
  describe: "the fields it changes are ordinary",
  points: 46,
  answers: ids(
    "entitlement.decision money.moved act.write act.destructive access.changed tool.unclassified data.protected",
  ),
  find(view) {
    const { fields } = view.understood;
    if (!noneHarsh(view) || view.understood.everything.length > 0) return undefined;
    const changed = fields.filter(({ leaf }) => !DOCUMENTS_CALL.test(leaf.key));
    const updates = view.acts.some((act) => act.pointer === "/name" && act.kinds.has("change"));
    if (!updates && !changed.some(({ leaf }) => isField(leaf))) return undefined;
    return changed.some(({ meaning }) => meaning !== "trifling")
      ? undefined
      : typed(changed, (meaning) => meaning === "trifling");
  },
};

/** These explain a call, so they are no evidence that what it changes is small. */
const DOCUMENTS_CALL =
  /^(?:notes?|comment|remark|memo|reason|description|subject|title|message|text|summary|priority|source)$/u;

export const gentle: Relief = {
  id: "argument.recoverable",
  describe: "what it removes can be taken back",
  points: 55,
  answers: ids("act.destructive act.write tool.unclassified"),
  find(view) {
    if (!noneHarsh(view) || view.understood.everything.length > 0) return undefined;
    return (
      typed(view.understood.on, (meaning) => meaning === "gentle") ??
      typed(view.understood.off, (meaning) => meaning === "harsh")
    );
  },
};

/** Notes, labels and read marks chosen as the operation. */
const TRIFLING_CHOICE =
  /^(?:(?:add|create|append|update|set|remove) (?:a )?(?:note|internal note|comment|label|tag|reminder|bookmark)|mark (?:as )?(?:read|unread|seen)|star|unstar|snooze|acknowledge|ack|hold)$/u;

export const triflingChoice: Relief = {
  id: "argument.trifling_choice",
  describe: "the chosen operation only adds a note or mark",
  points: 45,
  answers: ids(
    "outward.sent act.write act.destructive tool.unclassified entitlement.decision system.operated",
  ),
  wholly: true,
  find(view) {
    const { choices } = view.understood;
    return view.open && choices.every(({ leaf }) => TRIFLING_CHOICE.test(leaf.words))
      ? typed(choices, () => true)
      : undefined;
  },
};

/** Things whose loss nobody feels. */
const TRIFLING_TARGET =
  /^(?:cart|basket|wishlist|watchlist|trash|spam|spam folder|recycle bin|clipboard|cache|sandbox|scratch|playlist|bookmarks?|favou?rites|test data|temp|temporary files|search history|drafts folder|notifications?)$/u;

export const triflingTarget: Relief = {
  id: "argument.trifling_target",
  describe: "what it touches is of no lasting value",
  points: 48,
  answers: ids("act.destructive act.write tool.unclassified"),
  find(view) {
    const targets = view.leaves.filter((leaf) =>
      /^(?:target|object|from|collection|scope|container|kind|type|resource|what|list)$/u.test(leaf.key),
    );
    return noneHarsh(view) && targets.every((leaf) => TRIFLING_TARGET.test(leaf.words))
      ? targets.find((leaf) => leaf.typed)
      : undefined;
  },
};

/** Days up to which more time is a small matter. Proposed, not derived from law or data. */
const SHORT_DAYS = 14;

export const shortPeriod: Relief = {
  id: "argument.short_period",
  describe: "it gives a little more time",
  points: 55,
  answers: ids("act.write tool.unclassified"),
  find(view) {
    if (!/(?:^| )(?:extend|postpone|prolong|extension)(?= |$)/u.test(view.name.words) || !noneHarsh(view))
      return undefined;
    const periods = view.leaves.filter((leaf) => /(?:^| )days?$/u.test(leaf.key));
    const small = periods.every(
      ({ value }) => typeof value === "number" && value >= 0 && value <= SHORT_DAYS,
    );
    return small ? periods.find((leaf) => leaf.typed) : undefined;
  },
};

/** One subject, whatever the plural in the tool's name. */
export const single: Relief = {
  id: "argument.single_subject",
  describe: "it names one subject",
  points: 60,
  answers: ids("scope.bulk"),
  find(view) {
    const one = view.lists.length > 0 && view.lists.every((list) => list.length <= 1);
    return one && view.understood.everything.length === 0
      ? view.leaves.find((leaf) => leaf.declared && leaf.pointer.endsWith("/0"))
      : undefined;
  },
};

export const temporary: Relief = {
  id: "argument.temporary_path",
  describe: "it touches only temporary files",
  points: 45,
  answers: ids("act.destructive act.write tool.unclassified"),
  find: (view) =>
    noneHarsh(view) ? every(view.understood.paths, (meaning) => meaning === "temporary") : undefined,
};

export const workspace: Relief = {
  id: "argument.workspace_path",
  describe: "it stays inside the workspace",
  points: 52,
  answers: ids("act.write tool.unclassified act.destructive safeguard.bypass"),
  find(view) {
    const destroys = view.acts.some((act) => act.kinds.has("destroy") && act.pointer !== "/description");
    return noneHarsh(view) && !destroys
      ? every(view.understood.paths, (meaning) => meaning === "workspace" || meaning === "temporary")
      : undefined;
  },
};

export const device: Relief = {
  id: "argument.trifling_setting",
  describe: "the setting is an ordinary one",
  points: 45,
  answers: ids("world.physical act.write access.changed tool.unclassified system.operated act.destructive"),
  find(view) {
    const { devices } = view.understood;
    return noneHarsh(view) &&
      devices.every(({ meaning }) => meaning === "trifling") &&
      (HAZARD.test(view.name.words) || devices.length > 0)
      ? typed(devices, (meaning) => meaning === "trifling")
      : undefined;
  },
};
