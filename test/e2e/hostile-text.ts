/** Words that do harm where text is taken for markup, or for what it looks like. */
export const HOSTILE = [
  "<script>window.pwned=1;alert(1)</script>",
  `"><img src=x onerror="window.pwned=1"><svg onload=alert(1)>`,
  "<a href='javascript:alert(1)'>click</a> <style>*{display:none}</style>",
  "pay \u202e001 EUR\u202c to \u2066me\u2069",
  "zero\u200bwidth\u2060\ufeffsoft\u00adhyphen tag\u{e0041}",
  "no\u00a0break ideographic\u3000space",
  "\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007link",
  "Αpprove", // The first letter is Greek.
].join(" ");

const UNSEEN = /[\p{Cc}\u00a0\u00ad\u200b\u202c\u202e\u2060\u2066\u2069\u3000\ufeff\u{e0041}]/gu;

/** What a page shows in its place: each character that cannot be seen, by its code point. */
export function hostileShown(text: string): string {
  return text.replaceAll(UNSEEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

/** Arguments in which a key and a value, at two depths, are hostile, with numbers that a parser would write in another way. */
export function hostileArguments(): string {
  const text = JSON.stringify(HOSTILE);
  return `{${text}:1.50,"z":[{"b":${text},"a":1e2}],"a":-0.0}`;
}
