import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const BEGINS = /function\*|^\s*\*\w+\(/u;
/** A call that stands alone: whatever it returns is lost. Of lists and maps that is what is meant. */
const CALL = /^(?!tx\.|(?:if|for|while|switch)\b|\w+\.(?:push|set)\()[a-z]\w*(?:\.\w+)*\(/u;

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** Calls that stand alone as a statement inside generators. */
function loneCalls(text: string): readonly string[] {
  const found: string[] = [];
  let endsAt: number | null = null;
  let previous = "";
  for (const line of text.split("\n")) {
    if (endsAt === null && BEGINS.test(line)) endsAt = indentOf(line);
    else if (endsAt === indentOf(line) && line.trimStart().startsWith("}")) endsAt = null;
    const startsStatement = /[;{}]$/u.test(previous) || /^\s*(?:if|for|else)\b.*\)?$/u.test(previous);
    if (endsAt !== null && startsStatement && CALL.test(line.trim())) found.push(line.trim());
    const branch = /^\s*(?:if|for) \(.*\) (?<then>[a-z].*;)$/u.exec(line)?.groups?.["then"];
    if (endsAt !== null && branch !== undefined && CALL.test(branch)) found.push(branch);
    previous = line;
  }
  return found;
}

/** The compiler takes `rows.save(…)` for a call like any other, but without `yield*` its steps are never carried out. */
test("no command forgets a step", () => {
  expect(loneCalls("function* f() {\n  rows.save(1);\n  yield* rows.save(2);\n}")).toEqual(["rows.save(1);"]);
  expect(loneCalls("  *f() {\n    if (x) rows.save(1);\n  }")).toEqual(["rows.save(1);"]);
  const files = readdirSync(import.meta.dirname).filter((f) => f.endsWith(".ts") && !f.endsWith(".test.ts"));
  for (const file of files)
    expect(loneCalls(readFileSync(path.join(import.meta.dirname, file), "utf8")), file).toEqual([]);
});
