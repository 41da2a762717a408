import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestGateway, type TestGateway } from "../gateway.testing.ts";

const consoleDir = fileURLToPath(new URL("../../../console", import.meta.url));
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await openTestGateway({ consoleDir });
});
afterAll(() => gateway.close());

describe("/console", () => {
  test("leads to the page, which runs its own scripts only", async () => {
    const entry = await gateway.app.request("/console");
    expect(entry.status).toBe(302);
    expect(entry.headers.get("location")).toBe("/console/");
    const page = await gateway.app.request("/console/");
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toContain("unsafe");
  });

  test("has every file that the page and its scripts name", async () => {
    for (const name of ["", "console.js", "case-view.js", "decision-panel.js"]) {
      const text = await (await gateway.app.request(`/console/${name}`)).text();
      for (const [, file] of text.matchAll(/(?:from "\.\/|(?:src|href)=")([\w-]+\.(?:js|css))"/g)) {
        const { status } = await gateway.app.request(`/console/${file}`);
        expect([file, status]).toEqual([file, 200]);
      }
    }
  });

  test.each(["console.js", "dom.js", "case-view.js", "decision-panel.js", "api.js"])(
    "writes text as text: %s does not know innerHTML or its like",
    (name) => {
      const source = readFileSync(`${consoleDir}/${name}`, "utf8");
      expect(source).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/,
      );
    },
  );

  test("is not sent again when the browser has it", async () => {
    const first = await gateway.app.request("/console/console.js");
    const etag = first.headers.get("etag") ?? "";
    const second = await gateway.app.request("/console/console.js", { headers: { "if-none-match": etag } });
    expect(second.status).toBe(304);
    expect(await second.text()).toBe("");
  });

  test.each([
    "../package.json",
    "..%2fpackage.json",
    "%2e%2e/package.json",
    "..\\package.json",
    "/etc/passwd",
    "x.js",
    "%00",
  ])("has no file %s", async (name) => {
    const response = await gateway.app.request(`/console/${name}`);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain("atlas-gateway");
  });
});
