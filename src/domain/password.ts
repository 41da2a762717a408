import { COMMON_PASSWORDS, KEYBOARD_ROWS } from "./common-passwords.ts";

/**
 * Shortest password, in Unicode code points. NIST SP 800-63B-4 (2025), section 3.1.1.2: at least 15 for a password that is
 * the only factor; no rules of composition, no change by the calendar.
 */
export const MIN_PASSWORD_LENGTH = 15;
/** Longest password, in code points; the same section asks for at least 64. */
export const MAX_PASSWORD_LENGTH = 256;

/** What must be left of a password once everything that a guesser tries first is taken out of it. */
const MIN_UNCOMMON = 8;

/** Signs that guessers put for letters, as everybody does. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  "@": "a",
  "4": "a",
  "3": "e",
  "1": "i",
  "!": "i",
  "0": "o",
  $: "s",
  "5": "s",
  "7": "t",
};

/** The form in which a password is counted, compared and hashed: NFKC, so that two keyboards type the same (same section). */
export function normalisePassword(text: string): string {
  return text.normalize("NFKC");
}

/**
 * Why a password cannot be taken, as the end of a sentence that begins with "The password"; null when it can.
 *
 * The whole password is compared with a list of common ones (same section, blocklist): everything that a guesser tries
 * first (common words, the account's own name, runs, rows of the keyboard, repetition) is taken out, and eight characters
 * of something else must be left.
 *
 * @param account id of the person whose password it shall be
 */
export function passwordProblem(text: string, account: string): string | null {
  const password = normalisePassword(text);
  const length = Array.from(password).length;
  if (length < MIN_PASSWORD_LENGTH)
    return `must have at least ${MIN_PASSWORD_LENGTH} characters; a few unrelated words are easy to remember`;
  if (length > MAX_PASSWORD_LENGTH) return `must have at most ${MAX_PASSWORD_LENGTH} characters`;
  const own = account
    .toLowerCase()
    .split(/[._-]/)
    .filter((part) => part.length >= 3);
  const unit = repeatedUnit(Array.from(password.toLowerCase()));
  if (uncommonLength(unit, [...COMMON_PASSWORDS, ...own]) >= MIN_UNCOMMON) return null;
  return "is made of common passwords, sequences, repetition or the account's own name; choose words that nobody would guess";
}

/** What a text repeats from beginning to end, or the text itself. */
function repeatedUnit(text: readonly string[]): readonly string[] {
  for (let period = 1; period < text.length; period++) {
    if (text.every((character, i) => i < period || character === text[i - period]))
      return text.slice(0, period);
  }
  return text;
}

/** Fewest characters that are left when words and sequences are taken out in the best order for a guesser. */
function uncommonLength(text: readonly string[], words: readonly string[]): number {
  const left: number[] = [0];
  for (let end = 1; end <= text.length; end++) {
    let best = (left[end - 1] ?? 0) + 1;
    const starts = [
      ...words.filter((word) => endsWith(text, end, word)).map((word) => end - word.length),
      ...sequenceStarts(text, end),
    ];
    for (const start of starts) best = Math.min(best, left[start] ?? best);
    left[end] = best;
  }
  return left.at(-1) ?? 0;
}

function endsWith(text: readonly string[], end: number, word: string): boolean {
  if (word.length > end) return false;
  for (let i = 1; i <= word.length; i++) {
    const character = text[end - i] ?? "";
    const wanted = word[word.length - i];
    if (character !== wanted && LOOKALIKES[character] !== wanted) return false;
  }
  return true;
}

/** Where a run that ends here (`aaa`, `abc`, `321`) or a piece of a keyboard's row (`qwer`) may begin. */
function sequenceStarts(text: readonly string[], end: number): readonly number[] {
  const starts: number[] = [];
  const stepAt = (i: number) => (text[i]?.codePointAt(0) ?? 0) - (text[i - 1]?.codePointAt(0) ?? 0);
  const step = stepAt(end - 1);
  if (end >= 3 && Math.abs(step) <= 1) {
    for (let start = end - 2; start >= 0 && stepAt(start + 1) === step; start--)
      if (end - start >= 3) starts.push(start);
  }
  for (let start = end - 4; start >= 0; start--) {
    const piece = text.slice(start, end).join("");
    const backwards = text.slice(start, end).toReversed().join("");
    if (!KEYBOARD_ROWS.some((row) => row.includes(piece) || row.includes(backwards))) break;
    starts.push(start);
  }
  return starts;
}
