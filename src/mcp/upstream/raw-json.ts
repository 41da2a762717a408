/** A member of a JSON object as it stands in its text. */
export interface RawMember {
  readonly key: string;
  /** `"key":value`, byte for byte. */
  readonly text: string;
}

/**
 * Members of a JSON object text, in order, without parsing their values: numbers, escapes and
 * key order survive, which `JSON.parse` and `JSON.stringify` would not keep.
 *
 * @throws SyntaxError when the text is not a JSON object.
 */
export function rawMembers(objectText: string): readonly RawMember[] {
  const text = objectText.trim();
  if (!text.startsWith("{") || !text.endsWith("}")) throw new SyntaxError("not a JSON object");
  const members: RawMember[] = [];
  let start = 1;
  let depth = 0;
  let inString = false;
  for (let at = 1; at < text.length; at += 1) {
    const char = text[at];
    if (inString) {
      if (char === "\\") at += 1;
      else if (char === '"') inString = false;
      continue;
    }
    if (char === '"') inString = true;
    else if (char === "{" || char === "[") depth += 1;
    else if (depth > 0 && (char === "}" || char === "]")) depth -= 1;
    else if (depth === 0 && (char === "," || at === text.length - 1)) {
      const member = text.slice(start, at).trim();
      if (member !== "" || char === ",") members.push(rawMember(member));
      start = at + 1;
    }
  }
  return members;
}

function rawMember(text: string): RawMember {
  const key = /^"(?:[^"\\]|\\.)*"/.exec(text)?.[0];
  if (key === undefined) throw new SyntaxError("a member of a JSON object has no key");
  return { key: String(JSON.parse(key)), text };
}

/**
 * `_meta` of a request: the forwarded text, byte for byte when nothing of the protocol's own has to
 * join it. Members of the forwarded text that the protocol owns on this connection are replaced by
 * ours, for two members of one name are two calls to two parsers.
 *
 * @returns null when there is neither.
 */
export function mergeMeta(forwarded: string | null, own: Readonly<Record<string, unknown>>): string | null {
  const ownKeys = Object.keys(own);
  if (ownKeys.length === 0) return forwarded;
  const kept =
    forwarded === null ? [] : rawMembers(forwarded).filter((member) => !ownKeys.includes(member.key));
  const added = ownKeys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(own[key])}`);
  return `{${[...kept.map((member) => member.text), ...added].join(",")}}`;
}

export interface RequestTextParams {
  readonly id: string;
  readonly method: string;
  /** Members of `params` in order, values as JSON texts; null leaves a member out. */
  readonly params: Readonly<Record<string, string | null>>;
}

/** The text of a JSON-RPC request around values that are already text. */
export function requestText(params: RequestTextParams): string {
  const members = Object.entries(params.params)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `${JSON.stringify(key)}:${value}`);
  return `{"jsonrpc":"2.0","id":${JSON.stringify(params.id)},"method":${JSON.stringify(params.method)},"params":{${members.join(",")}}}`;
}
