/**
 * The text of a value inside a JSON text, as it was sent: `rawValue(frame, ["params", "arguments"])`.
 * Written apart from the gateway's own scanner, so that one cannot hide a mistake of the other.
 */
export function rawValue(json: string, path: readonly string[]): string | null {
  const [key, ...rest] = path;
  if (key === undefined) return json.trim();
  let at = skipSpace(json, 0);
  if (json[at] !== "{") return null;
  at = skipSpace(json, at + 1);
  while (at < json.length && json[at] !== "}") {
    const keyEnd = skipString(json, at);
    const name: unknown = JSON.parse(json.slice(at, keyEnd));
    const valueStart = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const valueEnd = skipValue(json, valueStart);
    if (name === key) return rawValue(json.slice(valueStart, valueEnd), rest);
    at = skipSpace(json, valueEnd);
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
  return null;
}

function skipSpace(json: string, from: number): number {
  let at = from;
  while (/\s/.test(json[at] ?? "")) at += 1;
  return at;
}

/** @param from index of the opening quote */
function skipString(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at + 1;
}

function skipValue(json: string, from: number): number {
  const first = json[from];
  if (first === '"') return skipString(json, from);
  let at = from;
  if (first !== "{" && first !== "[") {
    while (at < json.length && !/[\s,\]}]/.test(json[at] ?? "")) at += 1;
    return at;
  }
  let depth = 0;
  do {
    const char = json[at];
    if (char === '"') {
      at = skipString(json, at);
      continue;
    }
    if (char === "{" || char === "[") depth += 1;
    if (char === "}" || char === "]") depth -= 1;
    at += 1;
  } while (depth > 0 && at < json.length);
  return at;
}
