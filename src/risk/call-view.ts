import type { AssessedCall } from "./assessed-call.ts";
import { type ActKind, JOINERS, KINDS_OF_VERB, NOUN_VERBS, PARTICLES, READ_NOUNS } from "./lexicon.ts";
import { baseForms, plainText, wordsOf } from "./text.ts";

/** Work an assessment may cost; a call over any of these is not judged but sent to a human. */
export const LIMITS = {
  nameChars: 256,
  descriptionChars: 16_384,
  argumentChars: 16_384,
  leaves: 500,
  depth: 24,
  properties: 300,
};

/** One text of the call and where it stands. */
export interface Place {
  /** JSON pointer into the call. */
  readonly pointer: string;
  /** Lower-case words joined by single spaces, for the noun patterns. */
  readonly words: string;
}

/** One scalar of the arguments. */
export interface Leaf extends Place {
  /** Words of the nearest object key. */
  readonly key: string;
  /** Name of the argument it stands in. */
  readonly argument: string;
  /** Folded text of a string; decimal or literal form of anything else. */
  readonly text: string;
  readonly value: string | number | boolean | null;
  /** The schema names the argument, so the upstream reads it; an undeclared one may clear nothing. */
  readonly declared: boolean;
}

/** Something the call may do, and where it says so. */
export interface Act {
  readonly kinds: ReadonlySet<ActKind>;
  readonly pointer: string;
}

/** A call in the form that every signal reads. */
export interface CallView {
  readonly name: Place;
  /** Words of the name in order. */
  readonly nameWords: readonly string[];
  /** The name says that it reads, and names no second act. */
  readonly namedRead: boolean;
  /**
   * Acts other than reading: of the name, of arguments that choose an act, of the description. In this order, so
   * that the first act of a kind is the one that weighs most, and a later one hides none.
   */
  readonly acts: readonly Act[];
  /** What the call is about: name, required properties, argument keys and short values that select a thing. */
  readonly subjects: readonly Place[];
  readonly description: Place;
  readonly descriptionText: string;
  readonly keys: readonly Place[];
  readonly leaves: readonly Leaf[];
  /** Lengths of the lists in the arguments. */
  readonly lists: readonly { readonly pointer: string; readonly length: number }[];
  /** Pointers of texts in disguise, see {@link plainText}. */
  readonly disguised: readonly string[];
  readonly mixed: readonly string[];
  /** Set when the call is over a limit: where. */
  readonly overLimit: string | null;
  readonly trusted: boolean;
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
}

const ACT_KEY = /^(?:action|action type|operation|op|method|http method|verb|command|cmd|request type)$/u;
/** In a write these say what becomes of the thing; in a read they only filter. */
const OUTCOME_KEY =
  /^(?:status|state|new status|new state|desired state|decision|outcome|resolution|event|task|mode)$/u;
const SELECTOR_KEY =
  /(?:^| )(?:kind|type|resource|table|object|entity|field|column|property|name|category|scope|dataset|collection|record|attribute|path|include|format|section|topic|namespace|function|device|setting|key|template|purpose)s?$/u;

interface Walk {
  readonly keys: Place[];
  readonly leaves: Leaf[];
  readonly lists: { pointer: string; length: number }[];
  readonly disguised: string[];
  readonly mixed: string[];
  chars: number;
  overLimit: string | null;
}

/** Reads the call once, within {@link LIMITS}. */
export function viewCall(call: AssessedCall): CallView {
  const walk: Walk = { keys: [], leaves: [], lists: [], disguised: [], mixed: [], chars: 0, overLimit: null };
  const { definition } = call;
  const nameText = fold(definition.name, "/name", LIMITS.nameChars, walk);
  const descriptionText = fold(definition.description ?? "", "/description", LIMITS.descriptionChars, walk);
  const nameWords = wordsOf(nameText);
  const properties = propertiesOf(definition.inputSchema);
  walkObject(call.arguments, { pointer: "/arguments", declared: new Set(Object.keys(properties)) }, walk);
  const name: Place = { pointer: "/name", words: nameWords.join(" ") };
  const named = readName(nameWords);
  return {
    name,
    nameWords,
    namedRead: named.read,
    acts: [
      ...named.acts.map((kinds) => ({ kinds, pointer: "/name" })),
      ...walk.leaves.flatMap((leaf) => actOfLeaf(leaf, named.read)),
      ...actsOfDescription(descriptionText),
    ],
    subjects: [name, ...requiredPlaces(definition.inputSchema), ...walk.keys, ...walk.leaves.filter(selects)],
    description: { pointer: "/description", words: wordsOf(descriptionText).join(" ") },
    descriptionText,
    keys: walk.keys,
    leaves: walk.leaves,
    lists: walk.lists,
    disguised: walk.disguised,
    mixed: walk.mixed,
    overLimit: Object.keys(properties).length > LIMITS.properties ? "/inputSchema" : walk.overLimit,
    trusted: call.trusted,
    readOnlyHint: definition.annotations?.readOnlyHint === true,
    destructiveHint: definition.annotations?.destructiveHint === true,
  };
}

function selects(leaf: Leaf): boolean {
  return leaf.text.length <= 80 && SELECTOR_KEY.test(leaf.key);
}

function fold(raw: string, pointer: string, maxChars: number, walk: Walk): string {
  if (raw.length > maxChars) walk.overLimit ??= pointer;
  const plain = plainText(raw.slice(0, maxChars));
  if (plain.disguised) walk.disguised.push(pointer);
  if (plain.mixed) walk.mixed.push(pointer);
  return plain.text;
}

interface Spot {
  readonly pointer: string;
  /** Top-level names in the schema; undefined below the top level. */
  readonly declared?: ReadonlySet<string>;
  readonly key?: string;
  readonly argument?: string;
  readonly inDeclared?: boolean;
  readonly depth?: number;
}

function walkValue(value: unknown, spot: Spot, walk: Walk): void {
  if (
    walk.leaves.length >= LIMITS.leaves ||
    (spot.depth ?? 0) > LIMITS.depth ||
    walk.chars > LIMITS.argumentChars
  ) {
    walk.overLimit ??= "/arguments";
    return;
  }
  if (Array.isArray(value)) {
    walk.lists.push({ pointer: spot.pointer, length: value.length });
    for (const [index, item] of value.entries()) {
      if (walk.overLimit !== null) return;
      walkValue(item, { ...spot, pointer: `${spot.pointer}/${index}`, depth: (spot.depth ?? 0) + 1 }, walk);
    }
  } else if (typeof value === "object" && value !== null) {
    walkObject(value, spot, walk);
  } else {
    const raw = typeof value === "string" ? value : String(value);
    walk.chars += raw.length;
    if (walk.chars > LIMITS.argumentChars) walk.overLimit ??= "/arguments";
    const text = fold(raw, spot.pointer, LIMITS.argumentChars, walk);
    walk.leaves.push({
      pointer: spot.pointer,
      key: spot.key ?? "",
      argument: spot.argument ?? "",
      text,
      words: text.length <= 400 ? wordsOf(text).join(" ") : "",
      value:
        typeof value === "string"
          ? text
          : typeof value === "number" || typeof value === "boolean"
            ? value
            : null,
      declared: spot.inDeclared ?? false,
    });
  }
}

function walkObject(object: object, spot: Spot, walk: Walk): void {
  for (const [key, item] of Object.entries(object)) {
    if (walk.overLimit !== null) return;
    walk.chars += key.length;
    const pointer = `${spot.pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const words = wordsOf(fold(key, pointer, LIMITS.nameChars, walk)).join(" ");
    walk.keys.push({ pointer, words });
    if (walk.keys.length > LIMITS.leaves) walk.overLimit ??= "/arguments";
    walkValue(
      item,
      {
        pointer,
        key: words,
        argument: spot.argument ?? key,
        inDeclared: spot.declared?.has(key) ?? spot.inDeclared ?? false,
        depth: (spot.depth ?? 0) + 1,
      },
      walk,
    );
  }
}

function propertiesOf(schema: unknown): object {
  if (typeof schema !== "object" || schema === null || !("properties" in schema)) return {};
  return typeof schema.properties === "object" && schema.properties !== null ? schema.properties : {};
}

/** Only required properties say what every call does; an optional one counts when the call gives it. */
function requiredPlaces(schema: unknown): readonly Place[] {
  if (
    typeof schema !== "object" ||
    schema === null ||
    !("required" in schema) ||
    !Array.isArray(schema.required)
  )
    return [];
  return schema.required.slice(0, LIMITS.properties).flatMap((key: unknown) =>
    typeof key === "string"
      ? [
          {
            pointer: "/inputSchema/required",
            words: wordsOf(plainText(key.slice(0, LIMITS.nameChars)).text).join(" "),
          },
        ]
      : [],
  );
}

function verbOf(word: string): { readonly verb: string; readonly kinds: ReadonlySet<ActKind> } | undefined {
  for (const verb of baseForms(word)) {
    const kinds = KINDS_OF_VERB.get(verb);
    if (kinds !== undefined) return { verb, kinds };
  }
  return undefined;
}

const isRead = (kinds: ReadonlySet<ActKind>) => kinds.has("read");

/**
 * What a tool's name says that it does.
 * 1. The first word that is a verb is the act; a noun-verb (`order`) gives way to a clear read later (`order_lookup`, `order_status`).
 * 2. After a read, a second act counts when a joiner announces it (`get_or_create`) or when a clear verb ends the name (`read_file_delete`).
 * 3. A read with a particle is no read (`check_out_guest`).
 */
function readName(words: readonly string[]): {
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

/** Verbs that open a sentence, or a second clause of one; a noun-verb is believed only as the very first word. */
function actsOfDescription(text: string): readonly Act[] {
  const acts: Act[] = [];
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
      acts.push({ kinds: found.kinds, pointer: "/description" });
    }
  }
  return acts;
}

/** An argument that chooses the act (`action: "delete"`, `method: "POST"`). */
function actOfLeaf(leaf: Leaf, inRead: boolean): readonly Act[] {
  if (leaf.text.length > 60) return [];
  if (!ACT_KEY.test(leaf.key) && (inRead || !OUTCOME_KEY.test(leaf.key))) return [];
  return leaf.words.split(" ").flatMap((word) => {
    const found = verbOf(word);
    return found === undefined || isRead(found.kinds) ? [] : [{ kinds: found.kinds, pointer: leaf.pointer }];
  });
}
