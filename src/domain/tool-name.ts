import { LOOKALIKES } from "./lookalikes.ts";

/** The gateway's own tools; an upstream's tool of that name is not callable. */
export const RESERVED_TOOL_NAMES: readonly string[] = ["check_status", "withdraw_request"];

/** Capitals that look like another Latin letter than their small form does. */
const CAPITALS = new Map([
  ["Η", "H"],
  ["Ν", "N"],
  ["Υ", "Y"],
  ["Ζ", "Z"],
]);

const UNSEEN = /[\p{Cc}\p{Cf}\p{Mn}\p{Me}\p{Variation_Selector}\u115f\u1160\u2800\u3164\uffa0]/gu;
/** Scripts whose letters pass for Latin ones (Unicode TS 39 lists most of its confusables in these). */
const LOOKS_LATIN =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/u;

/**
 * What two names have in common when a reader could take one for the other. Not the whole of Unicode TS 39, but what names of tools
 * can be disguised with:
 * 1. compatibility forms (full width, mathematical) and accents are folded, invisible characters dropped;
 * 2. Cyrillic, Greek and other letters that look Latin become Latin;
 * 3. case, and the separators `_`, `-`, `.` and space, do not count;
 * 4. in a second form `I`, `l`, `1` and `|` are one character, `0` and `O` another, and `rn` is `m`.
 *
 * Names that share a form are confusable.
 */
export function nameSkeletons(name: string): readonly string[] {
  const visible = name.normalize("NFKC").normalize("NFD").replace(UNSEEN, "");
  const latin = Array.from(visible, latinOf)
    .join("")
    .trim()
    .replace(/[-_.\s]+/gu, "_");
  const shape = latin.replace(/[I1|]/gu, "l").replace(/0/gu, "o").toLowerCase().replace(/rn/gu, "m");
  const plain = latin.toLowerCase();
  return shape === plain ? [plain] : [plain, shape];
}

function latinOf(char: string): string {
  const capital = CAPITALS.get(char);
  if (capital !== undefined) return capital;
  const latin = LOOKALIKES.get(char) ?? LOOKALIKES.get(char.toLowerCase());
  if (latin === undefined) return char;
  return char === char.toLowerCase() ? latin : latin.toUpperCase();
}

/** Whether two different names could be taken for each other. */
export function areConfusable(one: string, other: string): boolean {
  if (one === other) return false;
  const forms = new Set(nameSkeletons(one));
  return nameSkeletons(other).some((form) => forms.has(form));
}

/** Whether a name pretends to be Latin by itself: Latin mixed with letters that pass for it, only such letters, or full-width and similar forms. */
export function isDisguised(name: string): boolean {
  if (name.normalize("NFKC") !== name.normalize("NFC")) return true;
  if (!LOOKS_LATIN.test(name)) return false;
  const [skeleton = ""] = nameSkeletons(name);
  return /\p{Script=Latin}/u.test(name) || /^[\x20-\x7e]*$/u.test(skeleton);
}
