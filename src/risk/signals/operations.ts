import type { CallView } from "../call-view.ts";
import {
  ATTACK_NOUNS,
  FURTIVE,
  HAZARD,
  IDENTITY,
  LOW_STAKE,
  nouns,
  OVERWRITABLE,
  SAFEGUARD,
} from "../lexicon.ts";
import { actOf, floor, modifier, placeOf, type Signal, writes } from "../signal.ts";

/** What cannot be taken back, or is written over in place (NIST MANAGE 2.4). Weight: proposed, not derived from law or data. */
export const destructive: Signal = {
  id: "act.destructive",
  describe: "it destroys or overwrites something",
  tag: "NIST AI RMF MANAGE 2.4",
  evaluate(view) {
    const destroys = view.acts.filter((act) => act.kinds.has("destroy"));
    const spared = destroys[0]?.pointer === "/name" && trifling(view);
    const act = destroys.find((act) => !spared || act.pointer.startsWith("/arguments"));
    if (act !== undefined) return floor(75, act.pointer);
    const change = actOf(view, "change");
    return change !== undefined &&
      change.pointer !== "/description" &&
      placeOf([view.name], OVERWRITABLE) !== undefined
      ? floor(75, change.pointer)
      : [];
  },
};

/** Only the tool's own name may say so, never an argument. A draft can hold a person's only copy, so it is not among them. */
function trifling(view: CallView): boolean {
  return (
    LOW_STAKE.test(view.name.words) &&
    !/(?:^| )(?:draft|calendar|ticket|directory|folder|volume|todo|task|queue|comment)(?:s|es)?(?= |$)/u.test(
      view.name.words,
    )
  );
}

/** Safeguards switched off or rules changed (EU AI Act Art. 12, 14, 15). Weight: proposed. */
export const safeguardBypass: Signal = {
  id: "safeguard.bypass",
  describe: "it goes around or changes a safeguard",
  tag: "EU AI Act Art. 12, 14, 15",
  evaluate(view) {
    const bypass = actOf(view, "bypass");
    if (
      bypass !== undefined &&
      !/(?:^| )force$/u.test(view.name.words) &&
      (bypass.pointer !== "/description" || placeOf([view.description], SAFEGUARD) !== undefined)
    ) {
      return floor(85, bypass.pointer);
    }
    const act = actOf(view, "change", "destroy", "access", "bypass", "operate");
    if (
      act !== undefined &&
      act.pointer !== "/description" &&
      placeOf([view.name, ...view.leaves.filter((leaf) => leaf.text.length <= 40)], SAFEGUARD) !== undefined
    ) {
      return floor(85, act.pointer);
    }
    const key = view.leaves.find(
      (leaf) => BYPASS_KEY.test(leaf.key) && /^(?:true|1|yes|on)$/iu.test(leaf.text),
    );
    return key !== undefined && writes(view) ? floor(85, key.pointer) : [];
  },
};

const BYPASS_KEY =
  /(?:^| )(?:force|override|bypass|no verify|insecure|skip \w+|ignore \w+|disable \w+|without \w+|suppress \w+)(?= |$)/u;

/** Who may do what: accounts, roles, keys (NIST GOVERN 1). Weight: proposed. */
export const identity: Signal = {
  id: "access.changed",
  describe: "it changes who may do what",
  tag: "NIST AI RMF GOVERN 1",
  evaluate(view) {
    const act = actOf(view, "create", "change", "access", "destroy", "decide", "operate");
    const about = placeOf([view.name], IDENTITY);
    if (act !== undefined && about !== undefined && act.pointer === "/name" && !view.namedRead)
      return floor(78, about);
    return actOf(view, "access")?.pointer === "/name" ? floor(72, "/name") : [];
  },
};

/** Many subjects at once (NIST MAP 5.1): +10 above one, +20 from ten, at least 80 when it writes. Weights: proposed. */
export const bulk: Signal = {
  id: "scope.bulk",
  describe: "it acts on many subjects at once",
  tag: "NIST AI RMF MAP 5.1",
  evaluate(view) {
    const longest = view.lists
      .filter((list) => !DETAILS.test(list.pointer) && (view.acts.length > 0 || SUBJECTS.test(list.pointer)))
      .filter(
        (list) =>
          typeof view.leaves.find((leaf) => leaf.pointer === `${list.pointer}/0`)?.value !== "number" ||
          SUBJECTS.test(list.pointer),
      )
      .toSorted((a, b) => b.length - a.length)[0];
    const all = view.understood.everything[0]?.pointer;
    const named = BULK_NAME.test(view.name.words) ? "/name" : undefined;
    const wide =
      all ?? named ?? (longest !== undefined && longest.length >= 10 ? longest.pointer : undefined);
    if (wide !== undefined)
      return view.acts.length > 0 ? [...floor(80, wide), ...modifier(20, wide)] : modifier(20, wide);
    return longest !== undefined && longest.length > 1 ? modifier(10, longest.pointer) : [];
  },
};

/** Lists of subjects, whatever is done with them. */
const SUBJECTS =
  /(?:ids?|users?|accounts?|customers?|employees?|patients?|contacts?|recipients?|emails?|addresses|numbers|orders?|records?|cases?|members?|people|persons?|files?|paths?)$/iu;
/** Lists that describe one subject. */
const DETAILS =
  /\/(?:fields?|columns?|tags?|labels?|include|includes|attributes|properties|select|keywords|symptoms|ingredients|languages|categories|drugs|metrics)$/iu;

const BULK_NAME = nouns("bulk|batch|mass|everyone|all");

const EXEC_NAME =
  /(?:^| )(?:shell|bash|terminal|exec|execute|eval|script|sql|powershell|cmd|python|javascript|interpreter|repl|(?:run|execute|exec|shell|system|os|terminal|root|remote|kubectl|ssh) (?:command|code|query|script)|^command|code execution)(?:s|r)?(?= |$)/u;
const CODE_KEY = /(?:^| )(?:command|cmd|script|shell|bash|code|shell command|javascript|python)(?= |$)/u;

/** Code, shell and raw SQL (EU AI Act Art. 15): 90. Weight: proposed. A lone SELECT in a declared argument is a read. */
export const execution: Signal = {
  id: "code.execution",
  describe: "it runs code, a command or raw SQL",
  tag: "EU AI Act Art. 15",
  evaluate(view) {
    const { sql, shell } = view.understood;
    const bad =
      sql.find(({ leaf, meaning }) => meaning.kind !== "read" || !leaf.declared) ??
      shell.find(({ leaf, meaning }) => meaning !== "read" || !leaf.declared);
    if (bad !== undefined) return floor(90, bad.leaf.pointer);
    const code = view.leaves.find((leaf) => runsCode(leaf, view));
    if (code !== undefined) return floor(90, code.pointer);
    const named = EXEC_NAME.test(view.name.words);
    return named && !(view.namedRead && !/(?:^| )(?:sql|shell|exec)/u.test(view.name.words))
      ? floor(90, "/name")
      : [];
  },
};

function runsCode(leaf: CallView["leaves"][number], view: CallView): boolean {
  const read = [...view.understood.sql, ...view.understood.shell].some((found) => found.leaf === leaf);
  return CODE_KEY.test(leaf.key) && /[\s(;|&]/u.test(leaf.text.trim()) && !read;
}

/** A write to production: +20. Weight: proposed. */
export const production: Signal = {
  id: "place.production",
  describe: "it acts on production",
  evaluate(view) {
    const place = view.understood.environments.find(({ meaning }) => meaning === "production");
    return place !== undefined && writes(view) ? modifier(20, place.leaf.pointer) : [];
  },
};

/** Running systems restarted, scaled or stopped: 72. Weight: proposed. */
export const operation: Signal = {
  id: "system.operated",
  describe: "it changes a running system",
  evaluate(view) {
    const act = actOf(view, "operate");
    if (act === undefined || (act.pointer === "/description" && view.namedRead)) return [];
    if (act.pointer === "/name" && trifling(view)) return [];
    return [{ points: 72, role: "base", evidence: act.pointer }];
  },
};

/** Machines that can hurt people or open a building: 78. Weight: proposed. */
export const physical: Signal = {
  id: "world.physical",
  describe: "it moves or unlocks something physical",
  evaluate(view) {
    const act = actOf(view, "move_things");
    const about = placeOf(view.subjects, HAZARD);
    return act !== undefined &&
      about !== undefined &&
      act.pointer !== "/description" &&
      (about === "/name" || act.pointer !== "/name" || !LOW_STAKE.test(view.name.words))
      ? floor(78, about)
      : [];
  },
};

/** Tools for breaking into something: 90. Weight: proposed. */
export const offensive: Signal = {
  id: "act.offensive",
  describe: "it attacks or deceives",
  evaluate(view) {
    const act = actOf(view, "attack");
    if (act !== undefined) return floor(90, act.pointer);
    if (FURTIVE.test(view.description.words)) return floor(88, "/description");
    return ATTACK_NOUNS.test(view.name.words) && !GUARDS.test(view.name.words) ? floor(85, "/name") : [];
  },
};

/** A tool against attacks is none itself. */
const GUARDS =
  /(?:^| )(?:protect\w*|prevent\w*|detect\w*|guard\w*|shield|secur\w+|scan\w*|monitor\w*|defen[cs]e|audit\w*|report\w*|check\w*|verify|test\w*|analy\w+|simulat\w+|list|get|search)(?= |$)/u;
