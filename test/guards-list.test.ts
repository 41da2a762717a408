import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { GUARDS } from "../scripts/guards-list.ts";

const root = path.resolve(import.meta.dirname, "..");

/** `npm run test:guards` takes minutes; that its list still fits the code is seen here at once. */
test.each(GUARDS)(
  "the guard “$guard” stands once in $file, and its test exists",
  ({ file, without, test: testFile }) => {
    expect(readFileSync(path.join(root, file), "utf8").split(without)).toHaveLength(2);
    expect(existsSync(path.join(root, testFile))).toBe(true);
  },
);
