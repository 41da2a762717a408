import type { CallView } from "../call-view.ts";
import {
  APPEAL_RIGHTS,
  DATA_SETS,
  ENTITLEMENT,
  HAZARD,
  IDENTITY,
  LOW_STAKE,
  MONEY,
  OVERWRITABLE,
  PERSONAL_DATA,
  PROTECTED,
  SAFEGUARD,
  VULNERABLE,
} from "../lexicon.ts";

/** Buckets that hashed features share; a power of two. */
export const BUCKETS = 32_768;

/** Words of a description that are read; what follows is rarely about the act. */
const DESCRIPTION_WORDS = 60;

const NOUN_CLASSES = {
  MONEY,
  PROTECTED,
  ENTITLEMENT,
  SAFEGUARD,
  IDENTITY,
  HAZARD,
  LOW_STAKE,
  OVERWRITABLE,
  DATA_SETS,
  PERSONAL_DATA,
  VULNERABLE,
  APPEAL_RIGHTS,
};

/** FNV-1a of a text, folded to a bucket. */
function bucketOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return ((hash >>> 15) ^ hash) & (BUCKETS - 1);
}

/** Features of one call: what its definition says, and what each argument's key adds to it. */
export interface CallFeatures {
  readonly definition: readonly number[];
  readonly keys: readonly (readonly number[])[];
}

/**
 * Buckets of a call. Values of arguments are left out: a model that weighs them can be talked round by them, and the
 * rules read them better.
 */
export function featuresOf(view: CallView): CallFeatures {
  const definition = new Set<number>();
  const name = view.nameWords.slice(0, 24);
  addGrams("n", name, definition);
  for (const word of name) for (const stem of ends(word)) definition.add(bucketOf(`c:${stem}`));
  addGrams("d", view.description.words.split(" ").slice(0, DESCRIPTION_WORDS), definition);
  definition.add(bucketOf(`read:${view.namedRead}`));
  definition.add(bucketOf(`open:${view.open}`));
  const kinds = new Set<string>();
  for (const act of view.acts) {
    if (act.pointer !== "/name" && act.pointer !== "/description") continue;
    for (const kind of act.kinds) kinds.add(`${kind}@${act.pointer}`);
  }
  const nouns = Object.entries(NOUN_CLASSES).flatMap(([id, pattern]) =>
    pattern.test(view.name.words) ? [id] : [],
  );
  for (const kind of kinds) {
    definition.add(bucketOf(`k:${kind}`));
    for (const noun of nouns) definition.add(bucketOf(`k:${kind}:${noun}`));
  }
  for (const noun of nouns) {
    definition.add(bucketOf(`o:${noun}`));
    definition.add(bucketOf(`o:${noun}:${view.namedRead}`));
  }
  const described = view.description.words.split(" ").slice(0, DESCRIPTION_WORDS).join(" ");
  for (const [id, pattern] of Object.entries(NOUN_CLASSES))
    if (pattern.test(described)) definition.add(bucketOf(`p:${id}`));
  return { definition: [...definition], keys: keyFeatures(view) };
}

function keyFeatures(view: CallView): readonly (readonly number[])[] {
  const seen = new Set<string>();
  return view.keys.slice(0, 100).flatMap((key) => {
    if (seen.has(key.words)) return [];
    seen.add(key.words);
    const buckets = new Set<number>();
    addGrams("a", key.words.split(" ").slice(0, 8), buckets);
    return [[...buckets]];
  });
}

function addGrams(prefix: string, words: readonly string[], into: Set<number>): void {
  for (const [index, word] of words.entries()) {
    into.add(bucketOf(`${prefix}:${word}`));
    const next = words[index + 1];
    if (next !== undefined) into.add(bucketOf(`${prefix}:${word} ${next}`));
  }
}

/** Beginning and end of a word, for inflections and compounds never seen. */
function ends(word: string): readonly string[] {
  return word.length > 5 ? [word.slice(0, 5), `-${word.slice(-4)}`] : [word];
}
