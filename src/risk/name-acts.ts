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

/** The verb that a word is, in whatever form, and its kinds. */
export function verbOf(
  word: string,
): { readonly verb: string; readonly kinds: ReadonlySet<ActKind> } | undefined {
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
    const ambiguous = NOUN_VERBS.has(first.verb) && first.verb !== "post";
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

/** Verbs that say nothing of what happens (`Handles various encodings`). */
const VAGUE: ReadonlySet<string> = new Set(["handle", "process", "manage", "call", "report", "return"]);

/**
 * Whether a name leaves the act to its arguments: it has no verb but neutral ones and words that may be nouns
 * (`standing_order`, `manage_payee`), or it joins a read with another act (`list_or_edit_orders`).
 */
export function leavesActOpen(words: readonly string[]): boolean {
  const verbs = words.flatMap((word) => verbOf(word) ?? []);
  const joined = words.some((word) => JOINERS.has(word)) && verbs.some((verb) => isRead(verb.kinds));
  return joined || verbs.every((v) => isRead(v.kinds) || NOUN_VERBS.has(v.verb) || NEUTRAL_VERBS.has(v.verb));
}

/** Kinds of the verbs that open a sentence, or a second clause of one; a noun-verb is believed only as the very first word. */
export function actsOfDescription(text: string): readonly ReadonlySet<ActKind>[] {
  const acts: ReadonlySet<ActKind>[] = [];
  for (const sentence of text
    .slice(0, 4_000)
    .split(/[.!?;:\n]+/u)
    .slice(0, 40)) {
    const words = wordsOf(sentence);
    // "Changes nothing." names no act; "Changes nothing but …" still does.
    if (words.length === 2 && words[1] === "nothing") continue;
    for (const [index, word] of words.slice(0, 40).entries()) {
      const opens = index === 0;
      const follows =
        /^(?:and|then|to|also|will|can|automatically|immediately|permanently|irreversibly)$/u.test(
          words[index - 1] ?? "",
        );
      if (!opens && !(follows && (index <= 8 || words[index - 1] !== "to"))) continue;
      const found = verbOf(word);
      if (found === undefined || isRead(found.kinds)) continue;
      if ((NOUN_VERBS.has(found.verb) && !opens) || VAGUE.has(found.verb)) continue;
      acts.push(found.kinds);
    }
  }
  return acts;
}
