import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestGateway, type TestGateway } from "../gateway.testing.ts";

const SCRIPT = "export const answer = 42;\n";
let folder: string;
let gateway: TestGateway;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "atlas-console-"));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Console</title>");
  writeFileSync(join(folder, "assets/index-1a2b.js"), SCRIPT);
  writeFileSync(join(folder, "assets/notes.txt"), "not for the web");
  gateway = await openTestGateway({ consoleFolder: async () => folder });
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

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

  test("asks for the page each time, and never again for a file whose name changes with it", async () => {
    const page = await gateway.app.request("/console/");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const etag = page.headers.get("etag") ?? "";
    const again = await gateway.app.request("/console/", { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe("");
    const script = await gateway.app.request("/console/assets/index-1a2b.js");
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  });

  test.each([
    ["gzip, deflate, br", true],
    ["br;q=1.0, GZIP;q=0.5", true],
    ["gzip;q=0", false],
    ["identity", false],
    ["", false],
  ])("to a browser that takes %j is sent compressed: %s", async (accepted, isCompressed) => {
    const answer = await gateway.app.request("/console/assets/index-1a2b.js", {
      headers: { "accept-encoding": accepted },
    });
    expect(answer.headers.get("vary")).toBe("accept-encoding");
    expect(answer.headers.get("content-encoding")).toBe(isCompressed ? "gzip" : null);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect((isCompressed ? gunzipSync(bytes) : bytes).toString()).toBe(SCRIPT);
  });

  test("says so when it cannot be built, and looks again at the next request", async () => {
    let tries = 0;
    const other = await openTestGateway({
      consoleFolder: async () => {
        tries += 1;
        if (tries === 1) throw new Error("no vite");
        return folder;
      },
    });
    const refused = await other.app.request("/console/");
    expect(refused.status).toBe(404);
    expect(await refused.text()).toContain("npm ci");
    expect((await other.app.request("/console/")).status).toBe(200);
    expect((await other.app.request("/console/")).status).toBe(200);
    expect(tries).toBe(2);
    await other.close();
  });

  test.each([
    "../package.json",
    "..%2fpackage.json",
    "%2e%2e/package.json",
    "..\\package.json",
    "/etc/passwd",
    "assets",
    "assets/",
    "assets/notes.txt",
    "x.js",
    "%00",
  ])("has no file %s", async (name) => {
    const response = await gateway.app.request(`/console/${name}`);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain("atlas-gateway");
  });
});
