import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { consoleFolder } from "../../src/console-folder.ts";

const KIB = 1024;

describe("the console's built files", () => {
  let folder: string;
  let html: string;
  beforeAll(async () => {
    folder = await consoleFolder();
    html = readFileSync(join(folder, "index.html"), "utf8");
  });

  test("are built once for the same sources", async () => {
    expect(await consoleFolder()).toBe(folder);
  });

  test("weigh less than 200 KiB, as they are sent, until the page can be used", () => {
    const named = [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(2);
    const sent = [html, ...named.map((name) => readFileSync(join(folder, name)))];
    const weight = sent.reduce((sum, file) => sum + gzipSync(file).length, 0);
    expect(weight).toBeLessThan(200 * KIB);
  });

  test("bring nothing inline, and nothing from elsewhere", () => {
    expect(html).not.toMatch(/<style|style=|<script(?![^>]* src=)|\son\w+=|https?:/);
  });
});
