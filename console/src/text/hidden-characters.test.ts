import { describe, expect, test } from "vitest";
import { countHidden, partsOf, spelt } from "./hidden-characters.ts";

describe("characters that are not seen", () => {
  test.each([
    ["right-to-left override", "a\u202eb", "a⟨U+202E⟩b"],
    ["isolate", "\u2066a\u2069", "⟨U+2066⟩a⟨U+2069⟩"],
    ["zero width and soft hyphen", "a\u200b\u00ad\ufeffb", "a⟨U+200B⟩⟨U+00AD⟩⟨U+FEFF⟩b"],
    ["escape sequence of a terminal", "\u001b[31mred", "⟨U+001B⟩[31mred"],
    ["tag, beyond the first plane", "a\u{e0041}", "a⟨U+E0041⟩"],
    ["space that is none", "a\u00a0b\u3000c", "a⟨U+00A0⟩b⟨U+3000⟩c"],
    ["lone half of a pair", "a\ud800b", "a⟨U+D800⟩b"],
    ["line break", "a\nb", "a⟨U+000A⟩b"],
  ])("are spelt out: %s", (_, text, expected) => {
    expect(spelt(text)).toBe(expected);
    expect(countHidden(text)).toBe(partsOf(text).filter((part) => part.isHidden).length);
  });

  test("nothing else is touched, and line breaks stay where they are wanted", () => {
    for (const text of ["", "plain", "Straße – 1,50 €", "日本語", "<b>&amp;</b>"])
      expect(spelt(text)).toBe(text);
    expect(partsOf("a\nb", true)).toEqual([{ text: "a\nb", isHidden: false, at: 0 }]);
  });
});
