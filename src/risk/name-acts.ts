import { actText } from "./docstring.ts";
import {
  type ActKind,
  JOINERS,
  KINDS_OF_VERB,
  NEUTRAL_VERBS,
  NOUN_VERBS,
  PARTICLES,
  READ_NOUNS,
} from "./lexicon.ts";
import { baseForms, wordsOf } from "./text.ts";

interface Verb {
  readonly verb: string;
  readonly kinds: ReadonlySet<ActKind>;
}

const REMEMBERED = 5_000;
const remembered = new Map<string, Verb | null>();

/** The verb that a word is, in whatever form, and its kinds. */
export function verbOf(word: string): Verb | undefined {
  const known = remembered.get(word);
  if (known !== undefined) return known ?? undefined;
  const found = findVerb(word);
  if (remembered.size >= REMEMBERED) remembered.clear();
  if (word.length <= 30) remembered.set(word, found ?? null);
  return found;
}

function findVerb(word: string): Verb | undefined {
  for (const verb of baseForms(word)) {
    const kinds = KINDS_OF_VERB.get(verb);
    if (kinds !== undefined) return { verb, kinds };
  }
  return undefined;
}

export const isRead = (kinds: ReadonlySet<ActKind>) => kinds.has("read");

/**
 * What a tool's name says that it does.
 * 1. The first word that is a verb is the act; a noun-verb (`order`) gives way to a clear read later (`order_lookup`, `order_status`).
 * 2. After a read, a second act counts when a joiner announces it (`get_or_create`) or when a clear verb ends the name (`read_file_delete`).
 * 3. A read with a particle is no read (`check_out_guest`).
 */
export function readName(words: readonly string[]): {
  readonly read: boolean;
  readonly acts: readonly ReadonlySet<ActKind>[];
} {
  const verbs = words.flatMap((word, index) => {
    const found = verbOf(word);
    return found === undefined ? [] : [{ ...found, index, exact: found.verb === word }];
  });
  const first = verbs[0];
  if (first === undefined) return { read: words.length > 0 && READ_NOUNS.has(words.at(-1) ?? ""), acts: [] };
  const others = verbs.filter((verb) => !isRead(verb.kinds));
  if (!isRead(first.kinds)) {
    const ambiguous =
      NOUN_VERBS.has(first.verb) &&
      first.verb !== "post" &&
      !(first.index === 0 && PLAIN_VERBS.has(first.verb));
    const clear = others.some((verb) => !NOUN_VERBS.has(verb.verb));
    const readLater =
      verbs.some((verb) => verb !== first && isRead(verb.kinds)) || READ_NOUNS.has(words.at(-1) ?? "");
    if (ambiguous && !clear && readLater && first.index !== words.length - 1) return { read: true, acts: [] };
    return {
      read: false,
      acts: others.filter((verb) => verb === first || !NOUN_VERBS.has(verb.verb)).map((v) => v.kinds),
    };
  }
  if (PARTICLES.has(words[first.index + 1] ?? "")) return { read: false, acts: [] };
  const second = others.filter(
    (verb) =>
      JOINERS.has(words[verb.index - 1] ?? "") ||
      (verb.exact && verb.index === words.length - 1 && !NOUN_VERBS.has(verb.verb)) ||
      (verb.exact && verb.index < first.index),
  );
  return { read: second.length === 0, acts: second.map((verb) => verb.kinds) };
}

/** `does not delete`, `never sends`. */
const DENIED =
  /(?:^| )(?:not|never|no|nothing|without|cannot|neither|nor|that|which|who|whether|if|how|when|where|what)(?= |$)/u;
/** A word after which the verb before it has something to act on. */
const takesObject = (next: string | undefined) =>
  next !== undefined &&
  !/^(?:and|or|but|in|of|for|to|from|by|with|containing|s)$/u.test(next) &&
  !/[^s]s$/u.test(verbOf(next) === undefined ? "" : next);

/** Before an object: `transfers the surplus` acts, `bank transfers` names. */
const DETERMINERS: ReadonlySet<string> = new Set(
  "a an the any all its their his her it them every each your this these".split(" "),
);
/** As often plurals or relations as acts, so in mid-sentence they are no evidence. */
const QUIET_VERBS: ReadonlySet<string> = new Set(
  "set move open close turn adjust create add save store make copy put place change update edit invest pay drive clear merge drop download upload start stop".split(
    " ",
  ),
);

/** Noun-verbs that are verbs when they open a name. */
const PLAIN_VERBS: ReadonlySet<string> = new Set(
  "set update change move reset open close start stop lower force patch".split(" "),
);

/** Verbs that say nothing of what happens (`Handles various encodings`). */
const VAGUE: ReadonlySet<string> = new Set(["handle", "process", "manage", "call", "report", "return"]);

/**
 * Whether a name leaves the act to its arguments: it has no verb but neutral ones and words that may be nouns
 * (`standing_order`, `manage_payee`), or it joins a read with another act (`list_or_edit_orders`).
 */
export function leavesActOpen(words: readonly string[]): boolean {
  const verbs = words.flatMap((word, index) => {
    const found = verbOf(word);
    return found === undefined ? [] : [{ ...found, index }];
  });
  const joined = words.some((word) => JOINERS.has(word)) && verbs.some((verb) => isRead(verb.kinds));
  return (
    joined ||
    verbs.every(
      ({ kinds, verb, index }) =>
        isRead(kinds) ||
        NEUTRAL_VERBS.has(verb) ||
        (NOUN_VERBS.has(verb) && (index > 0 || words.length === 1 || TOOL_NOUNS.has(words[1] ?? ""))),
    )
  );
}

/** After these a noun-verb names a subject (`freeze_tool`, `order_entry`). */
const TOOL_NOUNS: ReadonlySet<string> = new Set(
  "tool entry planner manager management system service api admin workflow handler bot rule rules control center desk request requests queue client gateway action actions operation operations".split(
    " ",
  ),
);

/** Kinds of the verbs that open a sentence, or a second clause of one; a noun-verb is believed only as the very first word. */
export function actsOfDescription(text: string): readonly ReadonlySet<ActKind>[] {
  const acts: ReadonlySet<ActKind>[] = [];
  for (const sentence of actText(text.slice(0, 4_000))
    .split(/[.!?;:\n]+/u)
    .slice(0, 40)) {
    const words = wordsOf(sentence);
    // "Changes nothing." names no act; "Changes nothing but …" still does.
    if (words.length === 2 && words[1] === "nothing") continue;
    for (const [index, word] of words.slice(0, 40).entries()) {
      const opens = index === 0;
      const before = words.slice(Math.max(0, index - 3), index).join(" ");
      const tells =
        word.endsWith("s") && index <= 14 && takesObject(words[index + 1]) && !DENIED.test(before);
      const follows =
        /^(?:and|then|to|also|will|can|automatically|immediately|permanently|irreversibly)$/u.test(
          words[index - 1] ?? "",
        );
      const spoken = follows && (index <= 8 || words[index - 1] !== "to");
      if (!opens && !spoken && !tells) continue;
      const found = verbOf(word);
      if (found === undefined || isRead(found.kinds)) continue;
      const object = DETERMINERS.has(words[index + 1] ?? "");
      if (!opens && !spoken && (found.verb === word || QUIET_VERBS.has(found.verb))) continue;
      if (NOUN_VERBS.has(found.verb) && tells && object && found.verb !== word) {
        acts.push(found.kinds);
        continue;
      }
      if ((NOUN_VERBS.has(found.verb) && !opens) || VAGUE.has(found.verb)) continue;
      acts.push(found.kinds);
    }
  }
  return acts;
}

/** Openings that only show or compute; `generate` and `create` are not among them, for they may make something last. */
const SHOWS =
  /^(?:this (?:function|method|tool|api|endpoint) )?(?:lets? (?:the )?(?:user|agent|robot) )?(?:gets?|returns?|retrieves?|fetch(?:es)?|finds?|lists?|shows?|displays?|looks? up|search(?:es)?|reads?|checks?|counts?|calculates?|computes?|converts?|estimates?|compares?|determines? (?:if|whether|the)|validates?|verif(?:y|ies)|provides? (?:information|details|a list|the|comprehensive|guidance|an overview|access to (?:information|a))|gives?|predicts?|solves?|evaluates?|analy[sz]es?|scans?|summari[sz]es?|describes?|measures?|tracks?|monitors?|translates?|parses?|locates?|identif(?:y|ies)|plots?|asks? (?:a question|the user)|obtains?|queries|query|explains?|recommends?|suggests?|simulates?) \S+/u;

/** Whether a description opens with a read of something; two words are a slogan, not a description. */
export function describesRead(text: string): boolean {
  const words = wordsOf(text.slice(0, 300));
  return words.length >= 4 && SHOWS.test(words.slice(0, 10).join(" "));
}
