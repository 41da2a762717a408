import { describe, expect, test } from "vitest";
import { hidesInName, hidesInText, showHidden } from "./hidden-characters.ts";
import { areConfusable, isDisguised } from "./tool-name.ts";

describe("areConfusable", () => {
  test.each([
    ["delete_case", "dеlеtе_case", "Cyrillic letters"],
    ["delete_case", "ｄｅｌｅｔｅ_case", "full width"],
    ["delete_case", "𝐝𝐞𝐥𝐞𝐭𝐞_case", "mathematical letters"],
    ["delete_case", "dele\u200bte_case", "a zero width space"],
    ["delete_case", "\u202edelete_case", "a bidi control"],
    ["delete_case", "délete_case", "an accent"],
    ["pay", "рау", "all of it Cyrillic"],
    ["CHECK", "CΗECK", "a Greek capital"],
    ["delete_case", "Delete_Case", "case"],
    ["delete_case", "delete-case", "another separator"],
    ["delete_case", "delete.case ", "another separator and a space"],
    ["delete_case", "deIete_case", "a capital I for an l"],
    ["tool_l", "tool_1", "a digit for a letter"],
    ["modern", "modem", "rn for m"],
  ])("%s and %s: %s", (one, other) => {
    expect(areConfusable(one, other)).toBe(true);
    expect(areConfusable(other, one)).toBe(true);
  });

  test.each([
    ["delete_case", "delete_case"],
    ["delete_case", "delete_cases"],
    ["get_account", "getaccount"],
    ["read_file", "reed_file"],
    ["get_id", "get_ld"],
    ["поиск", "список"],
  ])("not %s and %s", (one, other) => {
    expect(areConfusable(one, other)).toBe(false);
  });
});

describe("isDisguised", () => {
  test.each(["dеlete", "сору", "ｐａｙ", "file_сору", "pаy"])("%s pretends to be Latin", (name) => {
    expect(isDisguised(name)).toBe(true);
  });

  test.each(["delete_case", "поиск", "API接口", "読む", "crée_dossier", "größe"])("%s does not", (name) => {
    expect(isDisguised(name)).toBe(false);
  });
});

describe("hidden characters", () => {
  test.each([
    "a\u202eb",
    "a\u200bb",
    "a\u2066b",
    "a\0b",
    "a\nb",
    "a\u00adb",
    "a\ufe0fb",
    "a\u{e0041}b",
    "a\u3164b",
  ])("a name with one is told, and shown with its number: %j", (name) => {
    expect(hidesInName(name)).toBe(true);
    expect(showHidden(name)).toMatch(/^a\\(?:u\{[0-9a-f]+\}|n)b$/u);
  });

  test.each([
    "Two lines\nand a\ttab.",
    "A family 👩‍👩‍👧 and a heart ❤️.",
    "می‌خواهم",
    "Überweisung – größer als 5 €",
  ])("ordinary prose has none: %j", (text) => {
    expect(hidesInText(text)).toBe(false);
  });

  test.each(["read\u200b only", "\u202eevil", "de\u200dlete", "x\u{e0049}\u{e0067}", "a\u001b[2Jb"])(
    "prose that hides something: %j",
    (text) => {
      expect(hidesInText(text)).toBe(true);
    },
  );
});
