import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readEnvFile, setInEnvFile } from "./env-file.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atlas-env-"));
  file = join(folder, ".env");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("setInEnvFile", () => {
  test("keeps every other line, changes a variable where it stands, and closes the file to others", () => {
    writeFileSync(file, "# mine\nexport A=1\n\nB='two words' # why\n", { mode: 0o644 });
    expect(setInEnvFile(file, { A: "2", C: "x y$z" })).toEqual(["A", "C"]);
    expect(readFileSync(file, "utf8")).toBe("# mine\nA=2\n\nB='two words' # why\nC='x y$z'\n");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readEnvFile(file)).toEqual({ A: "2", B: "two words", C: "x y$z" });
  });

  test("a second time changes nothing", () => {
    setInEnvFile(file, { A: "1", URL: "postgres://u:p@h/db?x=#1" });
    const first = readFileSync(file, "utf8");
    expect(setInEnvFile(file, { A: "1", URL: "postgres://u:p@h/db?x=#1" })).toEqual([]);
    expect(readFileSync(file, "utf8")).toBe(first);
  });

  test.each(["it's", "two\nlines", "two\rlines"])(
    "refuses %j, which would be read otherwise, without repeating it",
    (value) => {
      expect(() => setInEnvFile(file, { SECRET: value })).toThrow(/^The value of SECRET cannot be kept/);
      expect(() => setInEnvFile(file, { SECRET: value })).not.toThrow(value);
    },
  );
});
