import { Ajv, type Options, type ValidateFunction } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Sha256Hex } from "../domain/ids.ts";
import type { CatalogTool } from "../domain/tool.ts";

/** What a tool's input schema says of some arguments. */
export type SchemaAnswer =
  | { readonly kind: "valid" }
  /** The sentence names the place and the rule, never a value. */
  | { readonly kind: "invalid"; readonly detail: string }
  /** The schema itself cannot be used, so nobody knows. */
  | { readonly kind: "unusable" };

export interface ArgumentSchemas {
  check(tool: CatalogTool, args: unknown): SchemaAnswer;
}

/** Compiled schemas kept; a tool that changes has a new pin, so old ones only waste memory. */
const MAX_COMPILED = 1_000;

/** Longer texts are not matched against a schema's patterns: a hostile pattern would take exponential time. */
const MAX_PATTERN_INPUT = 1_000;

/**
 * Checks arguments against the JSON Schema of their tool, in the dialect it names (2020-12 when it names none).
 * Nothing is coerced or defaulted, and no reference is fetched: an argument is forwarded as it came or not at all.
 */
export function createArgumentSchemas(): ArgumentSchemas {
  const compiled = new Map<Sha256Hex, ValidateFunction | null>();
  return {
    check(tool, args) {
      let validate = compiled.get(tool.pin);
      if (validate === undefined) {
        validate = compile(tool.definition.inputSchema);
        if (compiled.size >= MAX_COMPILED) compiled.clear();
        compiled.set(tool.pin, validate);
      }
      if (validate === null) return { kind: "unusable" };
      return run(validate, args);
    },
  };
}

function run(validate: ValidateFunction, args: unknown): SchemaAnswer {
  try {
    if (validate(args)) return { kind: "valid" };
  } catch {
    // A pattern gave up on its input (see guardedRegExp): not known to be valid, so a human looks.
    return { kind: "unusable" };
  }
  const error = validate.errors?.[0];
  const place = error?.instancePath ? `arguments${error.instancePath}` : "arguments";
  return { kind: "invalid", detail: `${place} ${error?.message ?? "do not fit"}` };
}

const OPTIONS: Options = {
  strict: false,
  validateFormats: false,
  logger: false,
  addUsedSchema: false,
  code: { regExp: Object.assign(guardedRegExp, { code: "guardedRegExp" }) },
};

function compile(schema: object): ValidateFunction | null {
  try {
    return dialect(schema).compile(schema);
  } catch {
    // A schema that does not compile is the upstream's fault; its calls go to review.
    return null;
  }
}

/** @throws Error for a dialect we do not know. */
function dialect(schema: object): Ajv {
  const named: unknown = "$schema" in schema ? schema.$schema : undefined;
  if (named === undefined) return new Ajv2020(OPTIONS);
  if (typeof named !== "string") throw new Error("$schema is not a string");
  if (named.includes("draft/2020-12/")) return new Ajv2020(OPTIONS);
  if (named.includes("draft/2019-09/")) return new Ajv2019(OPTIONS);
  if (named.includes("draft-07/")) return new Ajv(OPTIONS);
  throw new Error("unknown dialect");
}

/** A pattern that refuses input long enough to be used against it. */
function guardedRegExp(pattern: string, flags: string) {
  const regExp = new RegExp(pattern, flags);
  return {
    test(text: string): boolean {
      if (text.length > MAX_PATTERN_INPUT && /[+*}]/.test(pattern)) {
        throw new RangeError("the text is too long to be matched against the schema's pattern");
      }
      return regExp.test(text);
    },
  };
}
