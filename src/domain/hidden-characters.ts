/**
 * Characters that a reader does not see or that move what they see: controls, format characters (bidi, zero width, tags),
 * variation selectors, line and paragraph separators, and the fillers that show as nothing. No name needs one.
 */
const HIDDEN_IN_NAMES =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Variation_Selector}\u115f\u1160\u2800\u3164\uffa0\u{e0000}-\u{e0fff}]/u;

/**
 * The same in prose, where line breaks, tabs, emoji variants, and joiners between letters of the scripts that need them are ordinary.
 * A joiner beside an ASCII letter or digit joins nothing: it only breaks up a word.
 */
const HIDDEN_IN_TEXT =
  /(?![\t\n\r])\p{Cc}|[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u115f\u1160\u2800\u3164\uffa0\u{e0000}-\u{e0fff}]|[A-Za-z0-9][\u200c\u200d]|[\u200c\u200d][A-Za-z0-9]/u;

/** Whether a name holds a character that is not seen. */
export function hidesInName(name: string): boolean {
  return HIDDEN_IN_NAMES.test(name);
}

/** Whether a text holds a character that is not seen and that ordinary prose has no use for. */
export function hidesInText(text: string): boolean {
  return HIDDEN_IN_TEXT.test(text);
}

const EACH_UNSEEN = new RegExp(HIDDEN_IN_NAMES.source, "gu");

/** The text with everything that is not seen as `\u{…}`, and with line breaks and tabs as `\n` and `\t`: safe on one line of a terminal. */
export function showHidden(text: string): string {
  return text.replace(EACH_UNSEEN, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\t") return "\\t";
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
