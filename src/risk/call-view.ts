import type { AssessedCall } from "./assessed-call.ts";
import { ACT_KEY, type ActKind } from "./lexicon.ts";
import { actsOfDescription, describesRead, isRead, leavesActOpen, readName, verbOf } from "./name-acts.ts";
import { plainText, wordsOf } from "./text.ts";
import { type Understanding, understand } from "./understanding.ts";

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
  /** The schema also gives the argument a type that fits, so that a word in it can be taken for what it says. */
  readonly typed: boolean;
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
  /** The description opens with what the tool shows or computes, and names no other act. */
  readonly describedRead: boolean;
  /** The name leaves what is done to the arguments. */
  readonly open: boolean;
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
  /** What the arguments mean. */
  readonly understood: Understanding;
  readonly trusted: boolean;
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
}

/** In a write these say what becomes of the thing; in a read they only filter. */
const OUTCOME_KEY =
  /^(?:status|state|new status|new state|desired state|decision|outcome|resolution|event|task|mode)$/u;
const SELECTOR_KEY =
  /(?:^| )(?:kind|type|resource|table|object|entity|entities|field|column|property|properties|name|category|categories|scope|dataset|data set|data|collection|record|attribute|path|endpoint|url|uri|include|includes|format|section|topic|namespace|function|device|setting|key|template|purpose|report|report type|document|file|filename|folder|register|list|metric|info|view|select|columns|change|index|mailbox|channel|info type|detail|lookup)s?$/u;

interface Walk {
  readonly keys: Place[];
  readonly leaves: Leaf[];
  readonly lists: { pointer: string; length: number }[];
  readonly disguised: string[];
  readonly mixed: string[];
  chars: number;
  overLimit: string | null;
}

/** Reads the call once, within {@link LIMITS}. @param ownDomains domains that the operator named as inside */
export function viewCall(
  call: Pick<AssessedCall, "definition" | "arguments" | "trusted">,
  ownDomains: readonly string[] = [],
): CallView {
  const walk: Walk = { keys: [], leaves: [], lists: [], disguised: [], mixed: [], chars: 0, overLimit: null };
  const { definition } = call;
  const nameText = fold(definition.name, "/name", LIMITS.nameChars, walk);
  const descriptionText = fold(definition.description ?? "", "/description", LIMITS.descriptionChars, walk);
  const nameWords = wordsOf(nameText);
  const properties = propertiesOf(definition.inputSchema);
  walkObject(call.arguments, { pointer: "/arguments", declared: typesOf(properties) }, walk);
  const name: Place = { pointer: "/name", words: nameWords.join(" ") };
  const named = readName(nameWords);
  const view: CallCore = {
    name,
    nameWords,
    open: leavesActOpen(nameWords),
    describedRead: describesRead(descriptionText),
    namedRead: named.read,
    acts: [
      ...named.acts.map((kinds) => ({ kinds, pointer: "/name" })),
      ...walk.leaves.flatMap((leaf) => actOfLeaf(leaf, named.read)),
      ...actsOfDescription(descriptionText).map((kinds) => ({ kinds, pointer: "/description" })),
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
  // A call over a limit scores 100 whatever its arguments mean, so nothing is spent on them.
  const readable = view.overLimit === null ? view : { ...view, leaves: [] };
  return { ...readable, understood: understand(readable, ownDomains) };
}

/** The call before its arguments are understood. */
export type CallCore = Omit<CallView, "understood">;

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
  readonly declared?: ReadonlyMap<string, ReadonlySet<string> | null>;
  readonly key?: string;
  readonly argument?: string;
  readonly inDeclared?: boolean;
  /** Types that the schema gives the argument; null when it gives none. */
  readonly types?: ReadonlySet<string> | null;
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
      typed: (spot.inDeclared ?? false) && fits(value, spot),
    });
  }
}

function walkObject(object: object, spot: Spot, walk: Walk): void {
  for (const key of Object.keys(object)) {
    if (walk.overLimit !== null) return;
    const item: unknown = Reflect.get(object, key);
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
        types: spot.declared === undefined ? (spot.types ?? null) : (spot.declared.get(key) ?? null),
        depth: (spot.depth ?? 0) + 1,
      },
      walk,
    );
  }
}

/** Names that some public tool definitions use for JSON types. */
const TYPE_ALIASES: Readonly<Record<string, string>> = {
  dict: "object",
  float: "number",
  integer: "number",
  bool: "boolean",
  str: "string",
  list: "array",
  tuple: "array",
};

function typesOf(properties: object): ReadonlyMap<string, ReadonlySet<string> | null> {
  return new Map(
    Object.keys(properties)
      .slice(0, LIMITS.properties)
      .map((key) => [key, typesOfProperty(Reflect.get(properties, key))]),
  );
}

function typesOfProperty(property: unknown): ReadonlySet<string> | null {
  if (typeof property === "string") return new Set([TYPE_ALIASES[property] ?? property]);
  if (typeof property !== "object" || property === null) return null;
  const branches = ["anyOf", "oneOf"].flatMap((key) => {
    const listed: unknown = key in property ? Reflect.get(property, key) : undefined;
    return Array.isArray(listed) ? listed.slice(0, 20) : [];
  });
  const types = [property, ...branches].flatMap(ownTypes);
  return types.length === 0 ? null : new Set(types);
}

/** Types that one schema object names itself, by `type` or by its allowed values. */
function ownTypes(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const named = "type" in schema ? schema.type : undefined;
  const given: readonly unknown[] = Array.isArray(named) ? named : [named];
  const values: readonly unknown[] =
    "enum" in schema && Array.isArray(schema.enum) ? schema.enum : "const" in schema ? [schema.const] : [];
  return [
    ...given.flatMap((type) => (typeof type === "string" ? [TYPE_ALIASES[type] ?? type] : [])),
    ...values.slice(0, 50).map((value) => typeof value),
  ];
}

/** A value below an object or list is held to the container's type, for deeper schemas are not followed. */
function fits(value: unknown, spot: Spot): boolean {
  const types = spot.types ?? null;
  if (types === null) return false;
  return (
    types.has(typeof value) ||
    types.has("any") ||
    ((types.has("object") || types.has("array")) && !types.has("string"))
  );
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

/** An argument that chooses the act (`action: "delete"`, `method: "POST"`). */
function actOfLeaf(leaf: Leaf, inRead: boolean): readonly Act[] {
  if (leaf.text.length > 60) return [];
  if (!ACT_KEY.test(leaf.key) && (inRead || !OUTCOME_KEY.test(leaf.key))) return [];
  return leaf.words.split(" ").flatMap((word) => {
    const found = verbOf(word);
    return found === undefined || isRead(found.kinds) ? [] : [{ kinds: found.kinds, pointer: leaf.pointer }];
  });
}
