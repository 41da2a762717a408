import type { z } from "zod";
import type { KeyPath, Problem } from "./config-file.ts";
import { nearestKey } from "./nearest-key.ts";
import { configFileSchema } from "./schema.ts";

type Issue = z.core.$ZodIssue;

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of keys",
  record: "a group of keys",
};

/** Zod's issues in our words. None repeats a value: after substitution any value may be a secret. */
export function explainIssue(issue: Issue, file: unknown): readonly Problem[] {
  const { path } = issue;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, knownKeys(path)) }));
    case "invalid_type":
      return [{ path, message: wrongType(issue.expected, valueAt(file, path)) }];
    case "invalid_value":
      return [
        {
          path,
          message:
            valueAt(file, path) === undefined
              ? `it is missing; write one of ${issue.values.map(String).join(", ")}`
              : `this value is not known; write one of ${issue.values.map(String).join(", ")}`,
        },
      ];
    case "too_small":
      return [
        {
          path,
          message:
            issue.origin === "string"
              ? issue.message
              : `the number is too small; write ${issue.minimum} or more`,
        },
      ];
    case "too_big":
      return [{ path, message: `the number is too large; write ${issue.maximum} or less` }];
    case "invalid_key":
      return [
        {
          path,
          message:
            "this name is not allowed; use letters, digits and `_` (and `-` where it names an upstream or header)",
        },
      ];
    case "custom":
    case "invalid_format":
    case "invalid_element":
    case "invalid_union":
    case "not_multiple_of":
      return [{ path, message: issue.message }];
    default:
      return issue satisfies never;
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestKey(key, known);
  return nearest === undefined
    ? `this key is not known; use one of ${known.join(", ")}`
    : `this key is not known; did you mean \`${nearest}\`?`;
}

function wrongType(expected: string, value: unknown): string {
  const wanted = TYPE_WORDS[expected] ?? expected;
  if (value === undefined) return `it is missing; write ${wanted}`;
  if (value === null) return `it has no value; write ${wanted} or leave the key out`;
  const found = Array.isArray(value) ? "array" : typeof value;
  const hint = expected === "string" && found !== "object" && found !== "array" ? ", in quotes" : "";
  const actual = expected === "int" && found === "number" ? "a fraction" : (TYPE_WORDS[found] ?? found);
  return `this is ${actual}; write ${wanted}${hint}`;
}

function valueAt(file: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((value, key) => memberOf(value, key), file);
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

/** Keys the schema knows at a path, read off the schema so that no second list can fall behind. */
function knownKeys(path: KeyPath): readonly string[] {
  const schema = path.reduce<unknown>((parent, key) => childSchema(unwrap(parent), key), configFileSchema);
  const shape = memberOf(definitionOf(unwrap(schema)), "shape");
  return typeof shape === "object" && shape !== null ? Object.keys(shape) : [];
}

function definitionOf(schema: unknown): unknown {
  return memberOf(schema, "def");
}

/** The schema under `default`, `optional` and the like. */
function unwrap(schema: unknown): unknown {
  const inner = memberOf(definitionOf(schema), "innerType");
  return inner === undefined ? schema : unwrap(inner);
}

function childSchema(schema: unknown, key: PropertyKey): unknown {
  const definition = definitionOf(schema);
  return (
    memberOf(memberOf(definition, "shape"), String(key)) ??
    memberOf(definition, "valueType") ??
    memberOf(definition, "element")
  );
}
