import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileGlob, globCovers } from "./glob.ts";

describe("compileGlob", () => {
  it.each([
    ["*", "", true],
    ["*", "anything\nat all", true],
    ["", "", true],
    ["", "a", false],
    ["get_*", "get_", true],
    ["get_*", "get_case", true],
    ["get_*", "forget_case", false],
    ["*_status", "check_payment_status", true],
    ["a*b*c", "aXbYbZc", true],
    ["a*b*c", "acb", false],
    ["case_?", "case_1", true],
    ["case_?", "case_", false],
    ["case_?", "case_12", false],
    ["?", "😀", true],
    ["a.c", "abc", false],
    ["[ab]", "a", false],
    ["[ab]", "[ab]", true],
    ["\\*", "*", false],
    ["Get_*", "get_case", false],
    ["**", "x", true],
    ["(a+)+$", "aaaa", false],
  ])("%j against %j is %s", (glob, text, expected) => {
    expect(compileGlob(glob).matches(text)).toBe(expected);
  });

  it("matches a text without wildcards only against itself", () => {
    const plain = fc.string().filter((s) => !/[*?]/.test(s));
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        expect(compileGlob(a).matches(b)).toBe(a === b);
      }),
    );
  });

  it("ends on patterns on which a backtracking matcher would not", () => {
    expect(compileGlob(`${"*a".repeat(200)}b`).matches("a".repeat(5_000))).toBe(false);
  });
});

describe("globCovers", () => {
  it.each([
    ["*", "get_*", true],
    ["get_*", "get_case*", true],
    ["get_*", "get_?", true],
    ["get_?", "get_*", false],
    ["get_*", "*", false],
    ["a?c", "abc", true],
    ["abc", "a?c", false],
    ["*a*", "a", true],
  ])("%j covers %j: %s", (wide, narrow, expected) => {
    expect(globCovers(wide, narrow)).toBe(expected);
  });

  it("is never true for a text that only the narrow glob matches", () => {
    const glob = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 5 });
    const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 6 });
    fc.assert(
      fc.property(glob, glob, text, (wide, narrow, sample) => {
        const escapes =
          globCovers(wide, narrow) &&
          compileGlob(narrow).matches(sample) &&
          !compileGlob(wide).matches(sample);
        expect(escapes).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});
