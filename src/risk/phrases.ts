/** Finds whole words and short phrases in lower-case words joined by single spaces. */
export interface Phrases {
  test(words: string): boolean;
}

const LONGEST = 4;
const REMEMBERED = 2_000;

/**
 * A matcher of the alternatives in a small pattern language: `a|b`, `(?:a|b) c`, `colou?r`; plurals in -s and -es
 * count. One pass over the words with set look-ups, so that many nouns cost no more than few.
 */
export function phrases(pattern: string): Phrases {
  const entries = new Set(expand(pattern));
  const remembered = new Map<string, boolean>();
  return {
    test(words) {
      const known = remembered.get(words);
      if (known !== undefined) return known;
      const found = occursIn(words, entries);
      if (words.length <= 80) {
        if (remembered.size >= REMEMBERED) remembered.clear();
        remembered.set(words, found);
      }
      return found;
    },
  };
}

function occursIn(words: string, entries: ReadonlySet<string>): boolean {
  const tokens = words.split(" ");
  for (let start = 0; start < tokens.length; start++) {
    let phrase = "";
    for (let length = 0; length < LONGEST && start + length < tokens.length; length++) {
      const token = tokens[start + length] ?? "";
      const before = phrase;
      phrase = length === 0 ? token : `${before} ${token}`;
      if (entries.has(phrase)) return true;
      if (token.endsWith("s") && entries.has(phrase.slice(0, -1))) return true;
      if (token.endsWith("es") && entries.has(phrase.slice(0, -2))) return true;
    }
  }
  return false;
}

/** Every literal that the pattern stands for. */
function expand(pattern: string): readonly string[] {
  const group = /\(\?:([^()]*)\)/u.exec(pattern);
  if (group === null)
    return pattern
      .split("|")
      .flatMap(optional)
      .map((text) => text.trim());
  const start = pattern.lastIndexOf("|", depthZero(pattern, group.index)) + 1;
  const end = nextBar(pattern, group.index + group[0].length);
  const head = pattern.slice(0, Math.max(0, start - 1));
  const tail = pattern.slice(end + 1);
  const before = pattern.slice(start, group.index);
  const after = pattern.slice(group.index + group[0].length, end);
  const filled = (group[1] ?? "").split("|").map((option) => `${before}${option}${after}`);
  return [head, ...filled, tail].filter((part) => part !== "").flatMap(expand);
}

function depthZero(pattern: string, index: number): number {
  return index === 0 ? -1 : index - 1;
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
