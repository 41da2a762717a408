/** Finds whole words and short phrases in lower-case words joined by single spaces. */
export interface Phrases {
  test(words: string): boolean;
}

const LONGEST = 4;
const REMEMBERED = 2_000;
/** Keys and names come again and again; longer texts do not. */
const SHORT = 60;

/**
 * A matcher of the alternatives in a small pattern language: `a|b`, `(?:a|b) c`, `colou?r`; plurals in -s and -es
 * count. One pass over the words with set look-ups, so that many nouns cost no more than few.
 */
export function phrases(pattern: string): Phrases {
  const entries = entriesOf(pattern);
  const remembered = new Map<string, boolean>();
  return {
    test(words) {
      if (words.length > SHORT) return occursIn(words, entries);
      const known = remembered.get(words);
      if (known !== undefined) return known;
      const found = occursIn(words, entries);
      if (remembered.size >= REMEMBERED) remembered.clear();
      remembered.set(words, found);
      return found;
    },
  };
}

function occursIn(words: string, { singles, longer, openers }: Entries): boolean {
  const tokens = words.split(" ");
  for (let start = 0; start < tokens.length; start++) {
    const token = tokens[start] ?? "";
    if (hasWord(singles, token)) return true;
    if (!openers.has(token)) continue;
    let phrase = token;
    for (let next = start + 1; next < Math.min(tokens.length, start + LONGEST); next++) {
      phrase = `${phrase} ${tokens[next] ?? ""}`;
      if (hasWord(longer, phrase)) return true;
    }
  }
  return false;
}

/** The text itself, or without a plural ending. */
function hasWord(entries: ReadonlySet<string>, text: string): boolean {
  if (entries.has(text)) return true;
  if (!text.endsWith("s")) return false;
  return entries.has(text.slice(0, -1)) || (text.endsWith("es") && entries.has(text.slice(0, -2)));
}

interface Entries {
  readonly singles: ReadonlySet<string>;
  readonly longer: ReadonlySet<string>;
  /** First words of the longer ones, so that most texts are passed over at once. */
  readonly openers: ReadonlySet<string>;
}

function entriesOf(pattern: string): Entries {
  const all = expand(pattern);
  const longer = all.filter((entry) => entry.includes(" "));
  return {
    singles: new Set(all.filter((entry) => !entry.includes(" "))),
    longer: new Set(longer),
    openers: new Set(longer.map((entry) => entry.slice(0, entry.indexOf(" ")))),
  };
}

/** Every literal that the pattern stands for. */
function expand(pattern: string): readonly string[] {
  const group = /\(\?:([^()]*)\)/u.exec(pattern);
  if (group === null)
    return pattern
      .split("|")
      .flatMap(optional)
      .map((text) => text.trim());
  const start = group.index === 0 ? 0 : pattern.lastIndexOf("|", group.index - 1) + 1;
  const end = nextBar(pattern, group.index + group[0].length);
  const head = pattern.slice(0, Math.max(0, start - 1));
  const tail = pattern.slice(end + 1);
  const before = pattern.slice(start, group.index);
  const after = pattern.slice(group.index + group[0].length, end);
  const filled = (group[1] ?? "").split("|").map((option) => `${before}${option}${after}`);
  return [head, ...filled, tail].filter((part) => part !== "").flatMap(expand);
}

function nextBar(pattern: string, from: number): number {
  let depth = 0;
  for (let i = from; i < pattern.length; i++) {
    if (pattern[i] === "(") depth++;
    else if (pattern[i] === ")") depth--;
    else if (pattern[i] === "|" && depth === 0) return i;
  }
  return pattern.length;
}

function optional(text: string): readonly string[] {
  const mark = text.indexOf("?");
  if (mark < 1) return [text];
  const rest = text.slice(mark + 1);
  return [text.slice(0, mark), text.slice(0, mark - 1)].flatMap((head) => optional(head + rest));
}
