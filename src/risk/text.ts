import { LOOKALIKES } from "../domain/lookalikes.ts";

const ASCII = /^[\t\n\r\x20-\x7e]*$/;
const INVISIBLE = /[\p{Cf}\p{Mn}\p{Me}\p{Variation_Selector}\u115f\u1160\u3164\uffa0\u2800]/gu;
const CAMEL = /(\p{Ll}|\d)(?=\p{Lu})|(\p{Lu})(?=\p{Lu}\p{Ll})|(\p{L})(?=\d)|(\d)(?=\p{L})/gu;

export interface PlainText {
  /** Folded to what a reader sees; case kept. */
  readonly text: string;
  /** Invisible characters, full-width forms or look-alike letters were folded away: ordinary definitions have none. */
  readonly disguised: boolean;
  /** Latin letters stand in one word with letters that could not be folded. */
  readonly mixed: boolean;
}

/**
 * Folds a text to the one a reader sees: NFKC, no invisible characters or accents, look-alike letters as Latin.
 * A word of another script is left alone unless all of it looks Latin, so that ordinary Greek or Cyrillic is no disguise.
 */
export function plainText(raw: string): PlainText {
  if (ASCII.test(raw)) return { text: raw, disguised: false, mixed: false };
  const compatible = raw.normalize("NFKC");
  const visible = compatible.normalize("NFD").replace(INVISIBLE, "");
  let folded = false;
  let mixed = false;
  const text = visible.replace(/\p{L}+/gu, (word) => {
    if (/^[a-z]+$/iu.test(word)) return word;
    const latin = Array.from(word, latinOf).join("");
    const wasMixed = isMixed(word);
    if (isMixed(latin)) {
      mixed ||= wasMixed;
      return word;
    }
    folded ||= wasMixed;
    return latin;
  });
  return {
    text,
    disguised: folded || hasOddLetters(raw) || /[\p{Cf}\u115f\u1160\u3164\uffa0\u2800]/u.test(raw),
    mixed,
  };
}

/** Letters in another form than texts are written in: full-width, mathematical, ligatures. An ellipsis or a square metre is none. */
function hasOddLetters(raw: string): boolean {
  return Array.from(raw.normalize("NFC")).some(
    (char) => /\p{L}/u.test(char) && char.normalize("NFKC") !== char,
  );
}

function latinOf(char: string): string {
  const latin = LOOKALIKES.get(char) ?? LOOKALIKES.get(char.toLowerCase());
  if (latin === undefined) return char;
  return char === char.toLowerCase() ? latin : latin.toUpperCase();
}

function isMixed(word: string): boolean {
  return /\p{Script=Latin}/u.test(word) && /[^\p{Script=Latin}]/u.test(word);
}

/** Lower-case words of a name or sentence: camelCase, snake_case, kebab-case, digits and punctuation split. */
export function wordsOf(text: string): readonly string[] {
  return text
    .replace(CAMEL, "$& ")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

/** The word itself and what its plural, third-person, past and -ing forms may come from, likeliest first. */
export function baseForms(word: string): readonly string[] {
  const forms = [word];
  for (const suffix of ["ing", "ed", "es", "s", "d"]) {
    if (!word.endsWith(suffix) || word.length < suffix.length + 2) continue;
    const stem = word.slice(0, -suffix.length);
    forms.push(stem, `${stem}e`);
    if (stem.at(-1) === stem.at(-2)) forms.push(stem.slice(0, -1));
    if (stem.endsWith("i")) forms.push(`${stem.slice(0, -1)}y`);
  }
  return forms;
}
