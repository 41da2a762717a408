/** A compiled glob: `*` is any run of characters, `?` is one, everything else is itself. Case matters. */
export interface Glob {
  readonly source: string;
  matches(text: string): boolean;
}

type Token = { readonly kind: "run" | "one" } | { readonly kind: "literal"; readonly char: string };

export function compileGlob(source: string): Glob {
  const tokens = tokenize(source);
  return {
    source,
    matches: (text) =>
      covers(
        tokens,
        Array.from(text, (char): Token => ({ kind: "literal", char })),
      ),
  };
}

/**
 * Whether every text that `narrow` matches is matched by `wide` too. Conservative: true is certain, false may
 * miss a cover that needs several characters of `wide` to stand for one run of `narrow`.
 */
export function globCovers(wide: string, narrow: string): boolean {
  return covers(tokenize(wide), tokenize(narrow));
}

function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const char of source) {
    if (char === "*") {
      if (tokens.at(-1)?.kind !== "run") tokens.push({ kind: "run" });
    } else if (char === "?") tokens.push({ kind: "one" });
    else tokens.push({ kind: "literal", char });
  }
  return tokens;
}

/**
 * Greedy match that returns to the latest `*` only: an earlier one never needs to grow, because the latest can
 * take whatever it would have taken. At most pattern × text steps, so no pattern can stall a call.
 */
function covers(wide: readonly Token[], narrow: readonly Token[]): boolean {
  let at = 0;
  let runAt = -1;
  let resumeAt = 0;
  let i = 0;
  while (i < narrow.length) {
    const token = wide[at];
    if (token?.kind === "run") {
      runAt = at;
      resumeAt = i;
      at += 1;
    } else if (token !== undefined && standsFor(token, narrow[i])) {
      at += 1;
      i += 1;
    } else if (runAt >= 0) {
      at = runAt + 1;
      resumeAt += 1;
      i = resumeAt;
    } else return false;
  }
  while (wide[at]?.kind === "run") at += 1;
  return at === wide.length;
}

function standsFor(token: Token, other: Token | undefined): boolean {
  if (other === undefined || other.kind === "run") return false;
  if (token.kind === "one") return true;
  return token.kind === "literal" && other.kind === "literal" && token.char === other.char;
}
