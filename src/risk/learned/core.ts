import type { AssessedCall } from "../assessed-call.ts";
import { wordsOf } from "../text.ts";

/** Arguments in which people write sentences; nothing in them is taken for an answer to what a call does. */
const PROSE_KEY =
  /(?:^| )(?:notes?|text|title|subject|message|msg|body|comments?|reasons?|rationale|description|justification|summary|remarks?|memo|caption|content|instructions?|prompt|html|markdown|search|keywords?)$/u;

const NUMBERS: ReadonlySet<string> = new Set(["number", "integer", "float"]);
const DEPTH = 6;

/** A schema of one argument, as far as it is followed. */
export interface Property {
  readonly type: ReadonlySet<string>;
  readonly allowed: readonly string[] | null;
  readonly default: unknown;
  readonly least: number;
  readonly most: number | null;
  readonly description: string;
  readonly properties: object | null;
  readonly items: unknown;
}

/** Reads one property's schema; what it does not say stays empty. */
export function readProperty(schema: unknown): Property {
  const at = (key: string): unknown =>
    typeof schema === "object" && schema !== null ? Reflect.get(schema, key) : undefined;
  const type = at("type");
  const allowed = at("enum");
  const [least, most, properties, description] = [
    at("minimum"),
    at("maximum"),
    at("properties"),
    at("description"),
  ];
  return {
    type: new Set((Array.isArray(type) ? type : [type]).filter((each) => typeof each === "string")),
    allowed: Array.isArray(allowed) ? allowed.slice(0, 40).map(String) : null,
    default: at("default"),
    least: typeof least === "number" ? least : 0,
    most: typeof most === "number" ? most : null,
    description: typeof description === "string" ? description.slice(0, 300) : "",
    properties: typeof properties === "object" && properties !== null ? properties : null,
    items: at("items"),
  };
}

/** An argument of a call as the upstream will read it: declared, of the declared type, and no prose. */
export interface CoreLeaf {
  /** Words of the nearest key. */
  readonly key: string;
  readonly value: string | number | boolean;
  readonly property: Property;
  /** The call left it out, so the schema's default decides. */
  readonly byDefault: boolean;
}

/** What an agent cannot fill with words: the part of a call that may speak for it as well as against it. */
export interface Core {
  /** The same call with these arguments only. */
  readonly arguments: { readonly [key: string]: unknown };
  readonly leaves: readonly CoreLeaf[];
  /** Words of arguments that the schema declares and the call leaves out, without a default. */
  readonly omitted: readonly string[];
  /** Lengths of the lists. */
  readonly lists: readonly number[];
}

interface Walk {
  readonly leaves: CoreLeaf[];
  readonly omitted: string[];
  readonly lists: number[];
}

/** The part of a call that its schema declares, with the schema's defaults for what is left out. */
export function coreOf(call: Pick<AssessedCall, "arguments" | "definition">): Core {
  const walk: Walk = { leaves: [], omitted: [], lists: [] };
  const kept = keepObject(call.arguments, readProperty(call.definition.inputSchema), walk, 0);
  return { arguments: kept, leaves: walk.leaves, omitted: walk.omitted, lists: walk.lists };
}

function keepObject(value: object, schema: Property, walk: Walk, depth: number): { [key: string]: unknown } {
  const kept: { [key: string]: unknown } = {};
  const declared = schema.properties ?? {};
  for (const name of Object.keys(declared).slice(0, 100)) {
    const property = readProperty(Reflect.get(declared, name));
    const key = wordsOf(name.slice(0, 100)).join(" ");
    const isText = property.allowed === null && !property.type.has("boolean");
    if (isText && PROSE_KEY.test(key)) continue;
    const given: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
    if (given === undefined && !isScalar(property.default)) walk.omitted.push(key);
    else {
      const item = keep(
        given ?? property.default,
        { property, key, byDefault: given === undefined },
        walk,
        depth,
      );
      if (item !== undefined) kept[name] = item;
    }
  }
  return kept;
}

interface Spot {
  readonly property: Property;
  readonly key: string;
  readonly byDefault: boolean;
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

function keep(value: unknown, spot: Spot, walk: Walk, depth: number): unknown {
  if (depth > DEPTH || walk.leaves.length > 200) return undefined;
  const { property, key } = spot;
  if (Array.isArray(value)) {
    if (!property.type.has("array") && property.type.size > 0) return undefined;
    walk.lists.push(value.length);
    const item = property.items === undefined ? OPEN : readProperty(property.items);
    return value
      .slice(0, 50)
      .flatMap((each) => keep(each, { ...spot, property: item, key }, walk, depth + 1) ?? []);
  }
  if (typeof value === "object" && value !== null) {
    return property.properties === null
      ? keepOpen(value, walk, depth + 1)
      : keepObject(value, property, walk, depth + 1);
  }
  if (!isScalar(value) || !fits(value, property)) return undefined;
  walk.leaves.push({ key, value, property, byDefault: spot.byDefault });
  return value;
}

/** An object whose members the schema leaves open is declared as a whole. */
function keepOpen(value: object, walk: Walk, depth: number): { [key: string]: unknown } {
  const kept: { [key: string]: unknown } = {};
  for (const name of Object.keys(value).slice(0, 100)) {
    const key = wordsOf(name.slice(0, 100)).join(" ");
    const given: unknown = Reflect.get(value, name);
    if (typeof given === "string" && PROSE_KEY.test(key)) continue;
    const item = keep(given, { property: OPEN, key, byDefault: false }, walk, depth);
    if (item !== undefined) kept[name] = item;
  }
  return kept;
}

const OPEN: Property = readProperty({ type: ["string", "number", "boolean", "array", "object"] });

function fits(value: string | number | boolean, { type, allowed }: Property): boolean {
  if (allowed !== null) return allowed.includes(String(value));
  if (typeof value === "number") return [...type].some((each) => NUMBERS.has(each));
  if (typeof value === "boolean") return type.has("boolean") || type.has("bool");
  return type.has("string") || type.has("str");
}
