/**
 * JSON as the text it is: what is compared, shown and edited are pieces of the text and never values that were written anew.
 * The gateway reads arguments strictly, so no key comes twice.
 */
export interface JsonNode {
  /** Place in the text, in UTF-16 code units; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly kind: "object" | "array" | "text" | "other";
  /** Members or items, in the order of the text; empty for what has none. */
  readonly members: readonly JsonMember[];
}

export interface JsonMember {
  /** Name of the member, or number of the item. */
  readonly name: string;
  readonly value: JsonNode;
}

const TOKEN = /\s*("[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+)\s*/suy;

interface Token {
  readonly text: string;
  readonly start: number;
}

/** null when the text is not JSON. */
export function parseJsonText(text: string): JsonNode | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const tokens = tokensOf(text);
  let next = 0;
  // The text is JSON, so every token is where it has to be.
  const take = (): Token => tokens[next++] ?? { text: "", start: text.length };
  const peek = () => tokens[next]?.text;

  function readValue(): JsonNode {
    const token = take();
    if (token.text === "{" || token.text === "[") return readMembers(token);
    const end = token.start + token.text.length;
    return { start: token.start, end, kind: token.text.startsWith('"') ? "text" : "other", members: [] };
  }

  function readMembers(open: Token): JsonNode {
    const isObject = open.text === "{";
    const members: JsonMember[] = [];
    while (peek() !== "}" && peek() !== "]") {
      const name = isObject ? String(JSON.parse(take().text)) : String(members.length);
      if (isObject) take();
      members.push({ name, value: readValue() });
      if (peek() === ",") take();
    }
    const end = take().start + 1;
    return { start: open.start, end, kind: isObject ? "object" : "array", members };
  }

  return readValue();
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const token = match[1] ?? "";
    tokens.push({ text: token, start: match.index + match[0].indexOf(token) });
  }
  return tokens;
}

/** JSON text with line breaks and indents put between its tokens; every token stays as it is. */
export function indented(text: string): string {
  let out = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  const tokens = tokensOf(text).map((token) => token.text);
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    const isEmpty = next === "}" || next === "]";
    if (token === "{" || token === "[") {
      depth += 1;
      out += token + (isEmpty ? "" : line());
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const previous = tokens[index - 1];
      out += (previous === "{" || previous === "[" ? "" : line()) + token;
    } else if (token === ",") out += token + line();
    else out += token === ":" ? ": " : token;
  }
  return out;
}

export interface MemberChange {
  /** JSON pointer. */
  readonly pointer: string;
  /** Pieces of the two texts; null when it is not there. */
  readonly from: string | null;
  readonly to: string | null;
}

/** Where two JSON texts differ, member by member and to the letter: `45` and `45.0` are two different things. null when one is not JSON. */
export function changesOf(from: string, to: string): readonly MemberChange[] | null {
  const [before, after] = [parseJsonText(from), parseJsonText(to)];
  if (before === null || after === null) return null;
  return compare({ text: from, node: before }, { text: to, node: after }, "");
}

interface Piece {
  readonly text: string;
  readonly node: JsonNode;
}

const wordsOf = ({ text, node }: Piece) => text.slice(node.start, node.end);

function compare(from: Piece, to: Piece, pointer: string): readonly MemberChange[] {
  const isComparable =
    from.node.kind === to.node.kind && (from.node.kind === "object" || from.node.kind === "array");
  if (!isComparable) {
    return wordsOf(from) === wordsOf(to) ? [] : [{ pointer, from: wordsOf(from), to: wordsOf(to) }];
  }
  const before = new Map(from.node.members.map((member) => [member.name, member.value]));
  const after = new Map(to.node.members.map((member) => [member.name, member.value]));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    const below = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (old !== undefined && now !== undefined) {
      return compare({ text: from.text, node: old }, { text: to.text, node: now }, below);
    }
    return [
      {
        pointer: below,
        from: old === undefined ? null : wordsOf({ text: from.text, node: old }),
        to: now === undefined ? null : wordsOf({ text: to.text, node: now }),
      },
    ];
  });
}

/** The text with one member of its object set to a piece of JSON text, or taken out (null); everything else stays as it is. */
export function withMember(text: string, name: string, value: string | null): string {
  const root = parseJsonText(text);
  if (root?.kind !== "object") return text;
  const index = root.members.findIndex((member) => member.name === name);
  const found = root.members[index];
  if (found !== undefined && value !== null) {
    return text.slice(0, found.value.start) + value + text.slice(found.value.end);
  }
  if (found !== undefined) return withoutMember(text, root, index);
  if (value === null) return text;
  const inside = text.slice(0, root.end - 1);
  return `${inside}${root.members.length === 0 ? "" : ","}${JSON.stringify(name)}:${value}}${text.slice(root.end)}`;
}

function withoutMember(text: string, root: JsonNode, index: number): string {
  const previous = root.members[index - 1];
  const next = root.members[index + 1];
  const end = root.members[index]?.value.end ?? root.end;
  if (previous !== undefined) return text.slice(0, previous.value.end) + text.slice(end);
  if (next === undefined) return `${text.slice(0, root.start)}{}${text.slice(root.end)}`;
  // The first of several: up to the name of the next, which the comma comes before.
  const comma = text.indexOf(",", end);
  return text.slice(0, root.start + 1) + text.slice(comma + 1);
}

/** The piece of text at a JSON pointer; undefined when there is none. */
export function pieceAt(text: string, pointer: string): string | undefined {
  const root = parseJsonText(text);
  if (root === null) return undefined;
  const names = pointer.split("/").slice(1);
  const node = names.reduce<JsonNode | undefined>((at, name) => {
    const wanted = name.replaceAll("~1", "/").replaceAll("~0", "~");
    return at?.members.find((member) => member.name === wanted)?.value;
  }, root);
  return node === undefined ? undefined : text.slice(node.start, node.end);
}
