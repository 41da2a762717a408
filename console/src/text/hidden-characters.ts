/**
 * Characters that change what a reader sees without being seen: controls, bidi and zero-width marks, other invisible
 * ones, private use, unassigned, and every space but U+0020.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}\p{Variation_Selector}]|(?! )\p{Zs}/gu;

export interface TextPart {
  readonly text: string;
  /** It stands for a character that is not seen by itself. */
  readonly isHidden: boolean;
  /** Place in the text, in UTF-16 code units. */
  readonly at: number;
}

/** The text in parts, each hidden character as `⟨U+…⟩`; line breaks stay when they are `kept`. */
export function partsOf(text: string, keepLineBreaks = false): readonly TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const { 0: character, index } of text.matchAll(HIDDEN)) {
    if (keepLineBreaks && character === "\n") continue;
    if (index > from) parts.push({ text: text.slice(from, index), isHidden: false, at: from });
    parts.push({ text: `⟨U+${codeOf(character)}⟩`, isHidden: true, at: index });
    from = index + character.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), isHidden: false, at: from });
  return parts;
}

/** The same as one text, for places that take no elements. */
export function spelt(text: string): string {
  return partsOf(text)
    .map((part) => part.text)
    .join("");
}

export function countHidden(text: string): number {
  return [...text.matchAll(HIDDEN)].length;
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}
