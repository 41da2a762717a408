import type { Guard } from "./guards-list.ts";

/** 7. Words stay words; and what keeps a person from approving what they did not look at. */
export const GUARDS_OF_CONSOLE: readonly Guard[] = [
  {
    guard: "console: a character that is not seen is spelt out",
    file: "console/src/text/hidden-characters.ts",
    without: "text: `⟨U+${codeOf(character)}⟩`",
    instead: "text: character + codeOf(character).slice(9)",
    test: "console/src/text/hidden-characters.test.ts",
  },
  {
    guard: "console: what is grave or past recall is typed",
    file: "console/src/pages/decide/friction.ts",
    without: "detail.manifest?.reversible !== true || (score ?? 0) >= TYPE_FROM",
    instead: "(score ?? 0) > 100",
    test: "console/src/pages/decide/friction.test.ts",
  },
  {
    guard: "console: nothing is approved that was not in sight",
    file: "console/src/pages/decide/decision-bar.tsx",
    without: "isOff || !seen.hasSeen",
    instead: "isOff",
    test: "test/e2e/deciding.test.ts",
  },
];
