import { afterEach, describe, expect, test } from "vitest";
import {
  type Caller,
  openTestGateway,
  type TestGateway,
  type TestGatewayParams,
} from "../gateway.testing.ts";

let gateway: TestGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

const TOKEN = "metrics-token-0123456789abcdef";

async function ask(
  params: TestGatewayParams,
  caller: Caller | "scraper",
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  gateway = await openTestGateway(params);
  const token = caller === "scraper" ? TOKEN : gateway.token(caller);
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return gateway.app.request("/metrics", { headers: { host: "localhost", ...authorization, ...headers } });
}

describe("GET /metrics", () => {
  test("is open on loopback, and closed to whoever comes through a proxy", async () => {
    const open = await ask({}, "nobody");
    expect(open.status).toBe(200);
    expect(open.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(await open.text()).toContain("atlas_cases");
    for (const name of ["forwarded", "x-forwarded-for", "x-real-ip"]) {
      await gateway?.close();
      expect((await ask({}, "nobody", { [name]: "203.0.113.9" })).status, name).toBe(401);
    }
  });

  test.each([
    ["nobody", 401],
    ["stranger", 401],
    ["agent", 401],
    ["sarah", 401],
    ["nick", 401],
    ["scraper", 401],
    ["adam", 200],
    ["anna", 200],
  ] as const)("where other machines can ask, %s gets %i", async (caller, status) => {
    const response = await ask({ listenHost: "0.0.0.0" }, caller);
    expect(response.status).toBe(status);
    if (status !== 200) expect(await response.text()).not.toContain("atlas_cases");
  });

  test("with a token of its own, only that and admins and auditors open it, on loopback too", async () => {
    for (const [caller, status] of [
      ["nobody", 401],
      ["sarah", 401],
      ["scraper", 200],
      ["anna", 200],
    ] as const) {
      await gateway?.close();
      expect((await ask({ metricsToken: TOKEN }, caller)).status, caller).toBe(status);
    }
  });
});

describe("GET /readyz", () => {
  test.each([
    [{ phase: "running", reloadRefused: false }, 200, { status: "ready", reasons: [], config: "in_force" }],
    [
      { phase: "running", reloadRefused: true },
      200,
      { status: "ready", reasons: [], config: "reload_refused" },
    ],
    [
      { phase: "starting", reloadRefused: false },
      503,
      { status: "not_ready", reasons: ["gateway.starting"], config: "in_force" },
    ],
    [
      { phase: "stopping", reloadRefused: false },
      503,
      { status: "not_ready", reasons: ["gateway.stopping"], config: "in_force" },
    ],
  ] as const)("says of %j what it means", async (status, code, body) => {
    gateway = await openTestGateway({ status });
    const response = await gateway.app.request("/readyz", { headers: { host: "localhost" } });
    expect([response.status, await response.json()]).toEqual([code, body]);
  });
});

test("what is new is refused while the gateway stops, but for probes", async () => {
  gateway = await openTestGateway({ status: { phase: "stopping", reloadRefused: false } });
  const headers = { host: "localhost" };
  for (const path of ["/mcp", "/webhook/approval", "/api/v1/cases", "/"]) {
    const response = await gateway.app.request(path, { method: "POST", headers });
    expect([path, response.status]).toEqual([path, 503]);
    expect(await response.json()).toMatchObject({ error: { code: "gateway.stopping" } });
  }
  expect((await gateway.app.request("/livez", { headers })).status).toBe(200);
  expect((await gateway.app.request("/metrics", { headers })).status).toBe(200);
});
