import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SESSION_IDLE_MS, SESSION_LIFETIME_MS } from "../auth/sessions.ts";
import { MAX_FAILURES, WINDOW_MS } from "../auth/sign-in-throttle.ts";
import { type Caller, openTestGateway, type TestGateway } from "../gateway.testing.ts";

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await openTestGateway();
});
afterEach(() => gateway.close());

const OWN_PAGE = { origin: "http://localhost", "x-atlas-csrf": "1" };

function signIn(token: string | undefined, headers: Record<string, string> = {}) {
  return gateway.app.request("/api/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ token }),
  });
}

async function cookieOf(caller: Caller): Promise<string> {
  const response = await signIn(gateway.token(caller));
  return (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

function whoAmI(headers: Record<string, string>) {
  return gateway.app.request("/api/v1/session", { headers });
}

describe("signing in", () => {
  test("gives a cookie that scripts, other sites and other servers do not get", async () => {
    const response = await signIn(gateway.token("sarah"));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      person: { id: "sarah", roles: ["reviewer"] },
      single_operator: false,
      mode: "enforce",
    });
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^atlas_session=[0-9a-f]{64}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  test("marks the cookie Secure when the browser came by https", async () => {
    const response = await signIn(gateway.token("sarah"), { "x-forwarded-proto": "https" });
    expect(response.headers.get("set-cookie")).toContain("; Secure");
  });

  test.each<[Caller, number, string]>([
    ["stranger", 401, "auth.missing"],
    ["agent", 403, "auth.wrong_principal"],
    ["nick", 403, "auth.wrong_principal"],
  ])("is refused to %s with %i", async (caller, status, code) => {
    const response = await signIn(gateway.token(caller));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect(response.headers.get("set-cookie")).toBeNull();
  });

  test("is slowed down after too many failures, and possible again later", async () => {
    for (let i = 0; i < MAX_FAILURES; i++) expect((await signIn("guess")).status).toBe(401);
    const refused = await signIn(gateway.token("sarah"));
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe(String(WINDOW_MS / 1_000));
    gateway.clock.advance(WINDOW_MS);
    expect((await signIn(gateway.token("sarah"))).status).toBe(200);
  });
});

describe("a session", () => {
  test("says who is signed in, and that nobody is", async () => {
    const cookie = await cookieOf("anna");
    expect(await (await whoAmI({ cookie })).json()).toMatchObject({
      person: { id: "anna", roles: ["auditor"] },
    });
    expect((await whoAmI({})).status).toBe(401);
    expect((await whoAmI({ cookie: `atlas_session=${"0".repeat(64)}` })).status).toBe(401);
  });

  test("ends when nobody used it for an hour, but not while it is used", async () => {
    const cookie = await cookieOf("sarah");
    gateway.clock.advance(SESSION_IDLE_MS - 1);
    expect((await whoAmI({ cookie })).status).toBe(200);
    gateway.clock.advance(SESSION_IDLE_MS - 1);
    expect((await whoAmI({ cookie })).status).toBe(200);
    gateway.clock.advance(SESSION_IDLE_MS);
    expect((await whoAmI({ cookie })).status).toBe(401);
  });

  test("ends after twelve hours, used or not", async () => {
    const cookie = await cookieOf("sarah");
    const step = SESSION_IDLE_MS / 2;
    for (let t = step; t < SESSION_LIFETIME_MS; t += step) {
      gateway.clock.advance(step);
      expect((await whoAmI({ cookie })).status).toBe(200);
    }
    gateway.clock.advance(step);
    expect((await whoAmI({ cookie })).status).toBe(401);
  });

  test("does not help a request that presents a wrong credential", async () => {
    const cookie = await cookieOf("sarah");
    expect((await whoAmI({ cookie, authorization: "Bearer wrong" })).status).toBe(401);
    expect((await whoAmI({ cookie, authorization: `Bearer ${gateway.token("agent")}` })).status).toBe(403);
  });

  test("is closed by signing out, and by signing in again", async () => {
    const first = await cookieOf("sarah");
    const again = await signIn(gateway.token("sarah"), { cookie: first });
    const second = (again.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    expect((await whoAmI({ cookie: first })).status).toBe(401);

    const headers = { cookie: second, ...OWN_PAGE };
    const out = await gateway.app.request("/api/v1/session", { method: "DELETE", headers });
    expect(out.status).toBe(204);
    expect(out.headers.get("set-cookie")).toContain("Max-Age=0");
    expect((await whoAmI({ cookie: second })).status).toBe(401);
  });
});

describe("a change with a session", () => {
  test.each<[string, Record<string, string>]>([
    ["no header of ours", { origin: "http://localhost" }],
    ["no origin", { "x-atlas-csrf": "1" }],
    ["another port's origin", { origin: "http://localhost:5173", "x-atlas-csrf": "1" }],
  ])("is refused with %s", async (_, headers) => {
    const cookie = await cookieOf("sarah");
    const open = await gateway.openCase();
    for (const path of [`/api/v1/cases/${open.ref}/decision`, `/api/v1/cases/${open.ref}/withdraw`]) {
      const response = await gateway.app.request(path, {
        method: "POST",
        headers: { cookie, "content-type": "application/json", ...headers },
        body: JSON.stringify({ decision: "APPROVED", digest: open.actionDigest }),
      });
      expect([path, response.status]).toEqual([path, 403]);
    }
    expect(
      (await gateway.app.request("/api/v1/session", { method: "DELETE", headers: { cookie, ...headers } }))
        .status,
    ).toBe(403);
    expect((await gateway.store.getCase(open.ref))?.state).toBe("AWAITING_REVIEW");
  });

  test("goes through from our own page", async () => {
    const cookie = await cookieOf("sarah");
    const open = await gateway.openCase();
    const response = await gateway.app.request(`/api/v1/cases/${open.ref}/decision`, {
      method: "POST",
      headers: { cookie, "content-type": "application/json", ...OWN_PAGE },
      body: JSON.stringify({ decision: "APPROVED", digest: open.actionDigest }),
    });
    expect(response.status).toBe(200);
  });
});
