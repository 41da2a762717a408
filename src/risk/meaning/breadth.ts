/** How many things a call touches, as far as an argument says. */
const COUNT_KEY =
  /(?:^| )(?:limit|count|rows|max rows|max results|page size|batch size|size|top|max uses|number of (?:records|rows|recipients|users)|recipient count|sample size|quantity|qty|copies)$/u;
const WILDCARD =
  /^(?:\*|%|\.\*|\*\.\*|all|any|everyone|everybody|everything|@all|@everyone|@channel|0\.0\.0\.0\/0|::\/0)$/iu;
const ALL_WORDS = /^(?:all|every|entire|whole|complete|full) (?!(?:good|day|clear)(?: |$))|(?: all)$/u;
const ALL_KEY = /(?:^| )(?:all|everyone|select all)$/u;

export const MANY = 1_000;

/** Whether a value stands for everything there is. */
export function isEverything(key: string, text: string, words: string, value: unknown): boolean {
  if (WILDCARD.test(text.trim())) return true;
  if (ALL_KEY.test(key) && value === true) return true;
  return (
    words.length <= 40 &&
    ALL_WORDS.test(words) &&
    !/(?:^| )(?:text|title|subject|message|body|content|note|reason|description|comment)$/u.test(key)
  );
}

/** A count that the call asks for, or null. */
export function readCount(key: string, value: unknown): number | null {
  return COUNT_KEY.test(key) && typeof value === "number" && Number.isFinite(value) ? value : null;
}
