import { fail, ok, type Result } from "./errors.ts";

/**
 * JSON that no two parsers can read in two ways.
 *
 * A reviewer, the gateway and the upstream each parse the same bytes, perhaps with different parsers.
 * So text is refused where parsers are known to differ:
 * 1. an object with the same key twice (first wins, last wins, or both);
 * 2. a `__proto__` key (data for one, the prototype for another);
 * 3. a lone surrogate (kept, replaced or refused);
 * 4. a number whose decimal value does not survive a double (rounded by some, kept by others);
 * 5. nesting deeper than a parser's stack.
 */
export interface StrictJson {
  readonly value: unknown;
  /** The text as received, without insignificant white space: same keys in the same order, same number tokens, same escapes. */
  readonly text: string;
}

export interface JsonProblem {
  /** What is wrong, without quoting the text: it may be secret. */
  readonly message: string;
  /** JSON pointer (RFC 6901) to the place, `""` for the document. */
  readonly place: string;
}

/** Deeper than any real tool call; shallower than the stack of any parser we know. */
export const MAX_JSON_DEPTH = 128;

export function readStrictJson(text: string): Result<StrictJson, JsonProblem> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail({ message: `The text is not valid JSON${positionOf(error)}.`, place: "" });
  }
  const scanned = scan(text);
  return scanned.ok ? ok({ value, text: scanned.value }) : scanned;
}

/** V8's message quotes the text; only the position may be repeated. */
function positionOf(error: unknown): string {
  const position = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  return position === undefined ? "" : ` (at character ${position})`;
}

interface Frame {
  /** Keys seen; null for an array. */
  readonly keys: Set<string> | null;
  /** Key or index of the member that is being read. */
  at: string | number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** One pass over text that `JSON.parse` accepted: checks the rules above and drops white space. */
function scan(text: string): Result<string, JsonProblem> {
  const stack: Frame[] = [];
  const kept: string[] = [];
  let keptFrom = 0;
  let expectKey = false;
  let i = 0;
  const problem = (message: string) => fail({ message, place: pointerOf(stack) });

  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      kept.push(text.slice(keptFrom, i));
      while (isWhiteSpace(text.charCodeAt(i))) i++;
      keptFrom = i;
      continue;
    }
    const frame = stack.at(-1);
    switch (code) {
      case QUOTE: {
        const end = endOfString(text, i);
        const decoded = decodeString(text.slice(i, end));
        if (!decoded.isWellFormed()) return problem("A string holds half of a surrogate pair.");
        if (expectKey && frame?.keys) {
          frame.at = decoded;
          if (frame.keys.has(decoded)) return problem("The object has this key twice.");
          if (decoded === "__proto__") return problem("The key __proto__ is not allowed.");
          frame.keys.add(decoded);
          expectKey = false;
        }
        i = end;
        continue;
      }
      case 0x7b:
      case 0x5b: {
        if (stack.length >= MAX_JSON_DEPTH)
          return problem(`The text is nested deeper than ${MAX_JSON_DEPTH} levels.`);
        const isObject = code === 0x7b;
        stack.push({ keys: isObject ? new Set() : null, at: isObject ? "" : 0 });
        expectKey = isObject;
        break;
      }
      case 0x7d:
      case 0x5d:
        stack.pop();
        expectKey = false;
        break;
      case 0x2c:
        if (frame !== undefined && typeof frame.at === "number") frame.at++;
        expectKey = frame?.keys !== null && frame !== undefined;
        break;
      default:
        if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
          const end = endOfNumber(text, i);
          if (!survivesDouble(text.slice(i, end))) {
            return problem("The number cannot be held exactly by a double; send it as a string.");
          }
          i = end;
          continue;
        }
    }
    i++;
  }
  kept.push(text.slice(keptFrom));
  return ok(kept.length === 1 ? text : kept.join(""));
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  for (;;) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i + 1;
    i += code === BACKSLASH ? 2 : 1;
  }
}

function decodeString(quoted: string): string {
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}

function endOfNumber(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && /[0-9.eE+-]/.test(text.charAt(i))) i++;
  return i;
}

/**
 * Whether a JSON number token means the same after a double held it. Every decimal of up to 15 digits
 * does; tokens of up to 17 digits as `%.17g` prints them do too, since they name that very double.
 */
export function survivesDouble(token: string): boolean {
  if (token.length <= 15 && !/[eE]/.test(token)) return true;
  const number = Number(token);
  if (!Number.isFinite(number)) return false;
  const exact = decimalOf(token);
  if (exact === decimalOf(String(number))) return true;
  const digits = exact.slice(exact.indexOf(":") + 1, exact.lastIndexOf("e")).length;
  return digits <= 17 && exact === decimalOf(number.toPrecision(17));
}

/** Normal form `sign:digits e exponent` of a decimal token: equal for equal decimal values. */
function decimalOf(token: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? [];
  const significant = (whole + fraction).replace(/^0+/, "");
  const digits = significant.replace(/0+$/, "");
  if (digits === "") return "0:e0";
  const scale = BigInt(exponent) - BigInt(fraction.length) + BigInt(significant.length - digits.length);
  return `${sign}:${digits}e${scale}`;
}

function pointerOf(stack: readonly Frame[]): string {
  return stack.map((frame) => `/${String(frame.at).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

export interface JsonMember {
  readonly key: string;
  /** The value. */
  readonly text: string;
  /** Key and value as they stand in the object. */
  readonly source: string;
}

/** Members of an object, as texts of its {@link StrictJson.text}; empty when the text is no object. */
export function objectMembers(text: string): readonly JsonMember[] {
  if (!text.startsWith("{")) return [];
  return parts(text).map((source) => {
    const colon = endOfString(source, 0);
    return { key: decodeString(source.slice(0, colon)), text: source.slice(colon + 1), source };
  });
}

/** Elements of an array, as texts of its {@link StrictJson.text}; empty when the text is no array. */
export function arrayElements(text: string): readonly string[] {
  return text.startsWith("[") ? parts(text) : [];
}

/** The text at a path of keys; undefined when there is nothing. */
export function memberText(text: string, path: readonly string[]): string | undefined {
  let current: string | undefined = text;
  for (const key of path) {
    if (current === undefined) return undefined;
    current = objectMembers(current).find((m) => m.key === key)?.text;
  }
  return current;
}

/** Splits the inside of a container at its top-level commas. */
function parts(container: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 1;
  let i = 1;
  const last = container.length - 1;
  while (i < last) {
    const code = container.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(container, i);
      continue;
    }
    if (code === 0x7b || code === 0x5b) depth++;
    else if (code === 0x7d || code === 0x5d) depth--;
    else if (code === 0x2c && depth === 0) {
      found.push(container.slice(from, i));
      from = i + 1;
    }
    i++;
  }
  if (last > 1) found.push(container.slice(from, last));
  return found;
}
