import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestGateway, type TestGateway } from "./gateway.testing.ts";

let gateway: TestGateway;
let throwing: TestGateway;

beforeAll(async () => {
  gateway = await openTestGateway();
  throwing = await openTestGateway({
    mcp: {
      streamable: () => Promise.reject(new Error("s3cret of /internal/path")),
      sse: () => Promise.reject(new Error("s3cret")),
      messages: async (request) => new Response(await request.text()),
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await throwing.close();
});

describe("Host check", () => {
  test.each(["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])(
    "answers for %s",
    async (host) => {
      expect((await gateway.app.request("/livez", { headers: { host } })).status).toBe(200);
    },
  );

  test.each([
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost@evil.example",
    "localhost/evil",
    "",
  ])("refuses %j", async (host) => {
    const response = await gateway.app.request("/livez", { headers: { host } });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: "request.forbidden_host" } });
  });
});

describe("Origin check", () => {
  test.each([
    undefined,
    "http://localhost",
    "http://localhost:5173",
    "http://127.0.0.1:6274",
    "http://[::1]:1",
  ])("answers a request from %s", async (origin) => {
    const headers = origin === undefined ? undefined : { origin };
    expect((await gateway.app.request("/livez", headers === undefined ? {} : { headers })).status).toBe(200);
  });

  test.each([
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "file://",
    "http://evil.example/localhost",
  ])("refuses a page of %s, whatever it asks for", async (origin) => {
    for (const path of ["/livez", "/mcp", "/webhook/approval", "/nowhere"]) {
      const response = await gateway.app.request(path, { method: "POST", headers: { origin } });
      expect([path, response.status]).toEqual([path, 403]);
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
    }
  });
});

describe("behind a proxy, at its public name", () => {
  const publicUrl = "https://example.org/atlas";
  const listen = { host: "127.0.0.1", port: 8000, trustedProxies: [], allowedHosts: ["atlas.internal"] };
  const statusOf = async (path: string, headers: Record<string, string>) => {
    const behind = await openTestGateway({ config: { publicUrl, publicPath: "/atlas", listen } });
    const { status } = await behind.app.request(path, { headers });
    await behind.close();
    return status;
  };

  test.each(["example.org", "example.org:443", "atlas.internal", "localhost", "127.0.0.1:8000"])(
    "answers for %s, below the prefix and without it",
    async (host) => {
      expect(await statusOf("/atlas/livez", { host })).toBe(200);
      expect(await statusOf("/livez", { host })).toBe(200);
      expect(await statusOf("/atlasx/livez", { host })).toBe(404);
    },
  );

  test.each(["other.example.org", "evil.example"])("does not answer for %s", async (host) => {
    expect(await statusOf("/atlas/livez", { host })).toBe(403);
  });

  test.each([
    ["https://example.org", "atlas.internal", 200],
    ["https://example.org", "example.org", 200],
    ["http://example.org", "example.org", 403],
    ["https://example.org:8443", "example.org", 403],
    ["https://evil.example", "example.org", 403],
  ])("takes a page of %s asking %s for %i", async (origin, host, status) => {
    expect(await statusOf("/livez", { host, origin })).toBe(status);
  });
});

describe("bodies", () => {
  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/json; charset=latin1",
    "application/jsonx",
  ])("of type %s are refused", async (contentType) => {
    const response = await gateway.app.request("/api/v1/session", {
      method: "POST",
      headers: { "content-type": contentType },
      body: "{}",
    });
    expect(response.status).toBe(415);
    expect(await response.text()).toContain("application/json");
  });

  test("above the limit are refused by their declared length, before they are read", async () => {
    const response = await gateway.app.request("/webhook/approval", {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": String(4 * 1024 * 1024 + 1) },
      body: "{}",
    });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain("4 MiB");
  });

  test("above the limit are refused without a declared length, too", async () => {
    const response = await throwing.app.request("/mcp/messages", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "x".repeat(4 * 1024 * 1024 + 1),
    });
    expect(response.status).toBe(413);
  });

  test("without a declared length reach their route unchanged", async () => {
    const body = `{"text":"${"ü".repeat(100_000)}"}`;
    const headers = { "content-type": "application/json" };
    const response = await throwing.app.request("/mcp/messages", { method: "POST", headers, body });
    expect(await response.text()).toBe(body);
  });

  test("that are not UTF-8 are refused", async () => {
    const response = await gateway.app.request("/api/v1/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new Uint8Array([0x7b, 0xff, 0x7d]),
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("UTF-8");
  });
});

describe("answers", () => {
  test.each(["/", "/livez", "/nowhere", "/api/v1/cases"])(
    "at %s carry headers that keep other pages out",
    async (path) => {
      const { headers } = await gateway.app.request(path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("x-frame-options")).toBe("DENY");
    },
  );

  test("to what does not exist are 404 in the one error shape", async () => {
    const response = await gateway.app.request("/nowhere");
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: { code: "resource.not_found", message: "There is nothing at this address." },
    });
  });

  test("to an unexpected error are 500 and say nothing of it; the log does", async () => {
    const response = await throwing.app.request("/mcp", { method: "POST" });
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: "internal" } });
    expect(text).not.toMatch(/s3cret|internal\/path/);
    expect(throwing.logLines.some((line) => line.message === "A request failed.")).toBe(true);
  });

  test("that refuse leave a log line with the code, and neither query nor credential", async () => {
    gateway.logLines.length = 0;
    await gateway.app.request("/api/v1/cases?token=s3cret", { headers: { authorization: "Bearer s3cret" } });
    expect(gateway.logLines).toMatchObject([
      { path: "/api/v1/cases", status: 401, reason_id: "auth.missing" },
    ]);
    expect(JSON.stringify(gateway.logLines)).not.toContain("s3cret");
  });
});

describe("readiness", () => {
  test("is live and ready while the store answers, and only live after", async () => {
    const closed = await openTestGateway();
    expect(await (await closed.app.request("/readyz")).json()).toMatchObject({ status: "ready" });
    await closed.close();
    expect((await closed.app.request("/livez")).status).toBe(200);
    const response = await closed.app.request("/readyz");
    expect(response.status).toBeGreaterThanOrEqual(500);
    expect(await response.text()).not.toContain("atlas.db");
  });
});

describe("GET /", () => {
  test.each([undefined, "*/*", "application/json", "application/json, text/html;q=0.5"])(
    "says what runs here for %s",
    async (accept) => {
      const response = await gateway.app.request("/", accept === undefined ? {} : { headers: { accept } });
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        status: "ATLAS Governance Gateway Running",
        version: "0.1.0-test",
        engine: "embedded",
        endpoints: { mcp: "/mcp", approval: "/webhook/approval" },
      });
    },
  );

  test("sends a browser to the console", async () => {
    const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const response = await gateway.app.request("/", { headers: { accept } });
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toBe("/console");
  });
});
