import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../domain/digest.ts";
import { secureRandomBytes } from "../../domain/ids.ts";
import { SESSION_IDLE_MS, SESSION_LIFETIME_MS } from "../../domain/session.ts";
import { createPasswordHasher } from "../../governance/password-hash.ts";
import { ADDRESS_FAILURES, ADDRESS_WINDOW_MS } from "../auth/sign-in-throttle.ts";
import { type Caller, openTestGateway, personId, type TestGateway } from "../gateway.testing.ts";

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

  test("is always marked Secure where people reach the gateway by https only, and goes no further than its prefix", async () => {
    const secure = await openTestGateway({ secureCookies: true, config: { publicPath: "/atlas" } });
    const response = await secure.app.request("/api/v1/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: secure.token("sarah") }),
    });
    expect(response.headers.get("set-cookie")).toMatch(/; Path=\/atlas; HttpOnly; Secure; SameSite=Strict$/);
    await secure.close();
  });

  test("is slowed down for guesses after too many of them, and a right token is taken all the same", async () => {
    for (let i = 0; i < ADDRESS_FAILURES; i++) expect((await signIn("guess")).status).toBe(401);
    const refused = await signIn("guess");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe(String(ADDRESS_WINDOW_MS / 1_000));
    expect((await signIn(gateway.token("sarah"))).status).toBe(200);
    gateway.clock.advance(ADDRESS_WINDOW_MS);
    expect((await signIn("guess")).status).toBe(401);
  });

  test.each<[object, string]>([
    [{}, '"token" is missing'],
    [{ token: "" }, '"token" must not be empty'],
    [{ token: "t", account: "sarah", password: "p" }, '"token" must be there alone'],
    [{ token: "x".repeat(1_025) }, '"token" must have at most 1024 characters'],
    [{ account: "sarah" }, '"token" is missing'],
    [{ account: "sarah", password: "" }, '"password" must not be empty'],
    [{ account: "sarah", password: "p", role: "admin" }, 'There is no field "role"'],
  ])("with %j is refused by name of the field", async (body, words) => {
    const response = await request("POST", "", { body });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json()).replaceAll("\\", "")).toContain(words);
  });
});

const PASSWORD = "kettle umbrella fjord";
const OTHER_PASSWORD = "marble thistle harbour";

/** Sets a password as the command line does. */
async function setPassword(caller: Caller, password = PASSWORD): Promise<void> {
  const hash = (await gateway.passwords.hash(password)) ?? "";
  expect(await gateway.store.setPassword({ id: personId(caller), hash, own: null })).toBe("set");
}

function request(
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: object },
) {
  return gateway.app.request(`/api/v1/session${path}`, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
}

const withPassword = (account: string, password = PASSWORD) =>
  request("POST", "", { body: { account, password } });

describe("signing in with a password", () => {
  test("opens the same kind of session, beside the token", async () => {
    await setPassword("sarah");
    const response = await withPassword("sarah");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ person: { id: "sarah" } });
    const cookie = (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    expect((await whoAmI({ cookie })).status).toBe(200);
    expect((await signIn(gateway.token("sarah"))).status).toBe(200);
  });

  test("is refused in the same words whether the account, the password or both are wrong", async () => {
    await setPassword("sarah");
    await setPassword("nick");
    const refusals = [
      await withPassword("sarah", OTHER_PASSWORD),
      await withPassword("sarah", PASSWORD.toUpperCase()),
      await withPassword("anna"),
      await withPassword("nobody"),
      await withPassword("../sarah"),
      await withPassword("billing-bot"),
    ];
    const words = await Promise.all(refusals.map((response) => response.text()));
    expect(new Set(words).size).toBe(1);
    expect(words[0]).toContain("There is no such account with this password.");
    for (const { status } of refusals) expect(status).toBe(401);
    expect((await withPassword("nick")).status).toBe(403);
  });

  test("hashes once for an account that is not there, as for a wrong password", async () => {
    await setPassword("sarah");
    const asked: (string | null)[] = [];
    const { verify } = gateway.passwords;
    gateway.passwords.verify = (password, stored) => {
      asked.push(stored === null ? "nobody's" : "hers");
      return verify(password, stored);
    };
    await withPassword("sarah", "wrong");
    await withPassword("nobody");
    await withPassword("anna");
    await withPassword("no id at all");
    expect(asked).toEqual(["hers", "nobody's", "nobody's", "nobody's"]);
  });

  test("is held up after too many wrong ones, and neither the right one nor another account gets past it", async () => {
    await setPassword("sarah");
    await setPassword("anna");
    for (let i = 0; i < ADDRESS_FAILURES; i++) expect((await withPassword("sarah", "no")).status).toBe(401);
    for (const account of ["sarah", "anna", "nobody"]) expect((await withPassword(account)).status).toBe(429);
    expect((await signIn(gateway.token("sarah"))).status).toBe(200);
    gateway.clock.advance(ADDRESS_WINDOW_MS);
    expect((await withPassword("anna")).status).toBe(200);
  });

  test("is told to come back when too many sign in at once, and that counts against nobody", async () => {
    await setPassword("sarah");
    gateway.passwords.verify = () => Promise.resolve({ kind: "busy" });
    for (let i = 0; i < 2 * ADDRESS_FAILURES; i++) {
      const response = await withPassword("sarah");
      expect([response.status, response.headers.get("retry-after")]).toEqual([429, "2"]);
    }
  });

  test("hashes the password anew when the cost was raised since", async () => {
    const cheap = "$scrypt$ln=2,r=1,p=1$";
    const id = personId("sarah");
    const hash = await createPasswordHasher({
      random: secureRandomBytes,
      cost: { ln: 2, r: 1, p: 1 },
    }).hash(PASSWORD);
    await gateway.store.setPassword({ id, hash: hash ?? "", own: null });
    expect((await gateway.store.findPassword(id))?.hash).toContain(cheap);
    expect((await withPassword("sarah")).status).toBe(200);
    expect((await gateway.store.findPassword(id))?.hash).not.toContain(cheap);
    expect((await withPassword("sarah")).status).toBe(200);
  });

  test("leaves no password in a log line or an event", async () => {
    await setPassword("sarah");
    await withPassword("sarah");
    await withPassword("sarah", "MARKER-wrong-one");
    await withPassword("MARKER-account", "MARKER-wrong-one");
    expect(JSON.stringify(gateway.logLines)).not.toMatch(/MARKER|kettle/);
  });
});

describe("one's own password", () => {
  const change = (headers: Record<string, string>, body: object) =>
    request("POST", "/password", { headers, body });
  const bearer = (caller: Caller) => ({ authorization: `Bearer ${gateway.token(caller)}` });

  test("is changed by who knows the old one, and every browser is signed out", async () => {
    await setPassword("sarah");
    const here = await cookieOf("sarah");
    const there = await cookieOf("sarah");
    const body = { old_password: PASSWORD, new_password: OTHER_PASSWORD };
    const changed = await change({ cookie: here, ...OWN_PAGE }, body);
    expect(changed.status).toBe(204);
    expect(changed.headers.get("set-cookie")).toContain("Max-Age=0");
    for (const cookie of [here, there]) expect((await whoAmI({ cookie })).status).toBe(401);
    expect((await withPassword("sarah")).status).toBe(401);
    expect((await withPassword("sarah", OTHER_PASSWORD)).status).toBe(200);
  });

  test.each<[string, object, number, string]>([
    ["a wrong old one", { old_password: "wrong", new_password: OTHER_PASSWORD }, 403, "must be right"],
    ["a token instead of it", { token: "TOKEN", new_password: OTHER_PASSWORD }, 403, "must be right"],
    ["no proof", { new_password: OTHER_PASSWORD }, 400, '"old_password" is missing'],
    ["a short one", { old_password: PASSWORD, new_password: "short" }, 400, "at least 15 characters"],
    ["a common one", { old_password: PASSWORD, new_password: "password-password" }, 400, "common passwords"],
    ["their own name", { old_password: PASSWORD, new_password: "sarah.sarah.sarah" }, 400, "own name"],
  ])("is not changed with %s, and nobody is signed out", async (_, body, status, words) => {
    await setPassword("sarah");
    const cookie = await cookieOf("sarah");
    const asked = JSON.parse(JSON.stringify(body).replace("TOKEN", gateway.token("sarah") ?? ""));
    const response = await change({ cookie, ...OWN_PAGE }, asked);
    expect(response.status).toBe(status);
    expect(JSON.stringify(await response.json()).replaceAll("\\", "")).toContain(words);
    expect((await whoAmI({ cookie })).status).toBe(200);
    expect((await withPassword("sarah")).status).toBe(200);
  });

  test("is set for the first time by who holds the token, not by a session alone", async () => {
    const cookie = await cookieOf("sarah");
    const page = { cookie, ...OWN_PAGE };
    for (const proof of [{ old_password: PASSWORD }, { token: gateway.token("anna") }]) {
      const refused = await change(page, { ...proof, new_password: PASSWORD });
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({
        error: { message: expect.stringContaining("personal token") },
      });
    }
    expect((await change(page, { token: gateway.token("sarah"), new_password: PASSWORD })).status).toBe(204);
    expect((await withPassword("sarah")).status).toBe(200);
  });

  test("is changed with a token in the header, too, and only from our own page with a session", async () => {
    await setPassword("anna");
    const body = { old_password: PASSWORD, new_password: OTHER_PASSWORD };
    expect((await change({ cookie: await cookieOf("anna") }, body)).status).toBe(403);
    expect((await change(bearer("anna"), body)).status).toBe(204);
    expect((await withPassword("anna", OTHER_PASSWORD)).status).toBe(200);
  });

  test("cannot be found out by who holds a session", async () => {
    await setPassword("sarah");
    const cookie = await cookieOf("sarah");
    const guess = () =>
      change({ cookie, ...OWN_PAGE }, { old_password: "guess", new_password: OTHER_PASSWORD });
    for (let i = 0; i < ADDRESS_FAILURES; i++) expect((await guess()).status).toBe(403);
    expect((await guess()).status).toBe(429);
  });

  test("stays what another change made it meanwhile", async () => {
    await setPassword("sarah");
    const { hash } = gateway.passwords;
    gateway.passwords.hash = async (password) => {
      gateway.passwords.hash = hash;
      await setPassword("sarah", "willow ember lagoon");
      return hash(password);
    };
    const response = await change(bearer("sarah"), { old_password: PASSWORD, new_password: OTHER_PASSWORD });
    expect(response.status).toBe(409);
    expect((await withPassword("sarah", "willow ember lagoon")).status).toBe(200);
  });
});

describe("signing out everywhere", () => {
  const everywhere = (headers: Record<string, string>) => request("DELETE", "?everywhere=true", { headers });

  test("ends every session of the person and nobody else's, and their streams at the next heartbeat", async () => {
    const here = await cookieOf("sarah");
    const there = await cookieOf("sarah");
    const other = await cookieOf("anna");
    const streams = await Promise.all(
      [there, other].map(async (cookie) => gateway.app.request("/api/v1/events", { headers: { cookie } })),
    );
    expect((await everywhere({ cookie: here, ...OWN_PAGE })).status).toBe(204);
    expect((await whoAmI({ cookie: here })).status).toBe(401);
    expect((await whoAmI({ cookie: there })).status).toBe(401);
    expect((await whoAmI({ cookie: other })).status).toBe(200);
    await gateway.app.events.beat();
    gateway.app.close();
    const [ended = "", lived = ""] = await Promise.all(streams.map((stream) => stream.text()));
    expect(ended).not.toContain("still here");
    expect(lived).toContain("still here");
  });

  test("works with a token in the header, and needs somebody who is signed in", async () => {
    const cookie = await cookieOf("sarah");
    expect((await everywhere({})).status).toBe(401);
    expect((await everywhere({ cookie })).status).toBe(403);
    expect((await whoAmI({ cookie })).status).toBe(200);
    expect((await everywhere({ authorization: `Bearer ${gateway.token("sarah")}` })).status).toBe(204);
    expect((await whoAmI({ cookie })).status).toBe(401);
    expect((await everywhere({ cookie, ...OWN_PAGE })).status).toBe(401);
    expect((await request("DELETE", "?everywhere=perhaps", { headers: OWN_PAGE })).status).toBe(400);
  });
});

describe("a live stream", () => {
  test("ends at the next heartbeat once the token it was opened with is replaced", async () => {
    const headers = { authorization: `Bearer ${gateway.token("sarah")}` };
    const stream = await gateway.app.request("/api/v1/events", { headers });
    await gateway.app.events.beat();
    await gateway.store.rotateToken({ id: personId("sarah"), tokenSha256: sha256("new"), by: null });
    await gateway.app.events.beat();
    expect((await stream.text()).split("still here")).toHaveLength(2);
  });
});

describe("a session", () => {
  test("outlives a restart of the gateway's HTTP interface", async () => {
    const cookie = await cookieOf("sarah");
    const again = gateway.restart();
    expect((await again.request("/api/v1/session", { headers: { cookie } })).status).toBe(200);
    again.close();
  });

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
