import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findDatabase } from "./database.ts";
import { loadConfig } from "./load.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-database-"));
afterAll(() => rmSync(folder, { recursive: true }));

const URL_OF_FILE = "postgres://atlas:secret-of-file@db/atlas";
const URL_OF_ENV = "postgres://atlas:secret-of-env@db/atlas";

function load(text: string, env: Readonly<Record<string, string>> = {}) {
  const file = join(folder, "atlas.yaml");
  writeFileSync(file, text);
  return loadConfig({ path: file, env, dataDir: folder });
}

test("without a word about it, cases are kept in SQLite", () => {
  expect(load("").database).toEqual({ kind: "sqlite" });
});

test("the file names the database, else the environment does", () => {
  const named = `database: { url: "postgres://atlas:\${PASSWORD}@db/atlas" }`;
  expect(load(named, { PASSWORD: "secret-of-file" }).database).toEqual({
    kind: "postgres",
    url: URL_OF_FILE,
  });
  const env = { ATLAS_DATABASE_URL: URL_OF_ENV };
  expect(load(named, { ...env, PASSWORD: "secret-of-file" }).database).toEqual({
    kind: "postgres",
    url: URL_OF_FILE,
  });
  expect(load("", env).database).toEqual({ kind: "postgres", url: URL_OF_ENV });
});

test.each([
  ["mysql://atlas:hunter2@db/atlas", "not one of a Postgres database"],
  ["postgres://atlas:hunter2@db", "names no database"],
  ["db hunter2", "no URL"],
])("%s is refused with its place, and without a word of it", (url, says) => {
  const loading = () => load(`database:\n  url: ${url}\n`);
  expect(loading).toThrow(says);
  expect(loading).toThrow(/atlas\.yaml:2:3 database\.url/u);
  expect(loading).not.toThrow("hunter2");
});

test("a command finds the database though the rest of the file cannot be used", () => {
  const text = `database: { url: "${URL_OF_FILE}" }\nupstreams: { x: { env: { A: "\${NOT_SET}" } } }\nnonsense: 1\n`;
  expect(findDatabase({ file: { text, folder }, env: {} })).toEqual({ kind: "postgres", url: URL_OF_FILE });
  expect(findDatabase({ file: null, env: { ATLAS_DATABASE_URL: URL_OF_ENV } })).toEqual({
    kind: "postgres",
    url: URL_OF_ENV,
  });
  const unresolved = `database: { url: "postgres://atlas:\${NOT_SET}@db/atlas" }`;
  expect(findDatabase({ file: { text: unresolved, folder }, env: {} })).toBeNull();
  expect(findDatabase({ file: null, env: {} })).toBeNull();
});
