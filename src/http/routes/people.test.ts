import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AGENT, type Caller, openTestGateway, personId, type TestGateway } from "../gateway.testing.ts";

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await openTestGateway();
});
afterEach(() => gateway.close());

async function ask(method: string, path: string, body?: object, caller: Caller | { token: string } = "adam") {
  const token = typeof caller === "string" ? gateway.token(caller) : caller.token;
  const response = await gateway.app.request(`/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text && JSON.parse(text) };
}

async function cookieOf(token: string | undefined): Promise<string> {
  const response = await gateway.app.request("/api/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  return (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

const whoAmI = async (cookie: string) =>
  (await gateway.app.request("/api/v1/session", { headers: { cookie } })).status;

describe("people", () => {
  test("are added with a token that is shown once and works at once", async () => {
    const added = await ask("POST", "people", { id: "nina", roles: ["reviewer", "auditor"] });
    expect(added.status).toBe(201);
    expect(added.body).toEqual({ id: "nina", token: expect.stringMatching(/^atlas_person_[a-z2-7]+$/) });
    expect(added.headers.get("cache-control")).toBe("no-store");
    const session = await ask("GET", "session", undefined, { token: added.body.token });
    expect(session.body).toMatchObject({ person: { id: "nina", roles: ["auditor", "reviewer"] } });
    const listed = await ask("GET", "people");
    expect(listed.text).not.toContain(added.body.token);
    expect(listed.body.people).toContainEqual({
      id: "nina",
      roles: ["auditor", "reviewer"],
      password: false,
      token: true,
      revoked_at: null,
    });
  });

  test.each<[string, object, number, string]>([
    ["an id that is taken", { id: "sarah", roles: [] }, 409, "a person with the id sarah"],
    ["an agent's id", { id: AGENT, roles: [] }, 409, "an agent with the id"],
    ["an id that is none", { id: "../x", roles: [] }, 400, 'The field \\"id\\" must be letters'],
    ["a role that is none", { id: "nina", roles: ["king"] }, 400, 'The field \\"roles\\" must be one of'],
    ["no roles", { id: "nina" }, 400, 'The field \\"roles\\" is missing'],
  ])("are not added with %s", async (_, body, status, words) => {
    const refused = await ask("POST", "people", body);
    expect([refused.status, refused.text.includes(words)], refused.text).toEqual([status, true]);
  });

  test("who are revoked are let in nowhere, from that moment on", async () => {
    const cookie = await cookieOf(gateway.token("sarah"));
    expect(await whoAmI(cookie)).toBe(200);
    const stream = await gateway.app.request("/api/v1/events", { headers: { cookie } });
    expect((await ask("DELETE", "people/sarah")).status).toBe(204);
    expect(await whoAmI(cookie)).toBe(401);
    expect((await ask("GET", "session", undefined, "sarah")).status).toBe(401);
    await gateway.app.events.beat();
    expect(await stream.text()).not.toContain("still here");
    expect((await ask("DELETE", "people/sarah")).status).toBe(404);
    const { people } = (await ask("GET", "people")).body;
    expect(people).toContainEqual({
      id: "sarah",
      roles: ["reviewer"],
      password: false,
      token: false,
      revoked_at: new Date(gateway.clock.nowMs()).toISOString(),
    });
  });

  test("get other roles, which end their sessions and hold at once", async () => {
    const open = await gateway.openCase();
    const cookie = await cookieOf(gateway.token("sarah"));
    expect((await ask("PUT", "people/sarah/roles", { roles: ["auditor"] })).status).toBe(204);
    expect(await whoAmI(cookie)).toBe(401);
    const decision = { decision: "APPROVED", digest: open.actionDigest };
    expect((await ask("POST", `cases/${open.ref}/decision`, decision, "sarah")).status).toBe(403);
    expect((await ask("PUT", "people/sarah/roles", { roles: ["reviewer"] })).status).toBe(204);
    expect((await ask("POST", `cases/${open.ref}/decision`, decision, "sarah")).status).toBe(200);
    expect((await ask("PUT", "people/nobody-there/roles", { roles: [] })).status).toBe(404);
    expect((await ask("PUT", "people/%2e%2e/roles", { roles: [] })).status).toBe(404);
  });

  test("get a new token, and what was opened with the old one is closed", async () => {
    const old = gateway.token("sarah");
    const cookie = await cookieOf(old);
    const rotated = await ask("POST", "people/sarah/token");
    expect([rotated.status, rotated.body.id]).toEqual([201, "sarah"]);
    expect(await whoAmI(cookie)).toBe(401);
    expect((await ask("GET", "session", undefined, "sarah")).status).toBe(401);
    expect((await ask("GET", "session", undefined, { token: rotated.body.token })).status).toBe(200);
    expect(await whoAmI(await cookieOf(rotated.body.token))).toBe(200);
  });

  test("keep one admin at least", async () => {
    for (const refused of [
      await ask("DELETE", "people/adam"),
      await ask("PUT", "people/adam/roles", { roles: ["reviewer"] }),
    ]) {
      expect(refused.status).toBe(409);
      expect(refused.body.error).toMatchObject({ code: "resource.conflict" });
    }
    expect((await ask("PUT", "people/owen/roles", { roles: ["admin"] })).status).toBe(204);
    expect((await ask("DELETE", "people/adam")).status).toBe(204);
    expect((await ask("GET", "people")).status).toBe(401);
    expect((await ask("GET", "people", undefined, "owen")).status).toBe(200);
  });

  test("are administered from our own page only, with a session", async () => {
    const cookie = await cookieOf(gateway.token("adam"));
    const revoke = (headers: Record<string, string>) =>
      gateway.app.request("/api/v1/people/sarah", { method: "DELETE", headers: { cookie, ...headers } });
    expect((await revoke({})).status).toBe(403);
    expect((await gateway.store.getPerson(personId("sarah")))?.revokedAtMs).toBeNull();
    expect((await revoke({ origin: "http://localhost", "x-atlas-csrf": "1" })).status).toBe(204);
  });
});

describe("agents", () => {
  test("are added with a key that is shown once, listed, and revoked once", async () => {
    const added = await ask("POST", "agents", { id: "night-bot", owner: "owen" });
    expect(added.status).toBe(201);
    expect(added.body).toEqual({
      id: "night-bot",
      owner: "owen",
      key: expect.stringMatching(/^atlas_agent_[a-z2-7]+$/),
    });
    const asAgent = await ask("GET", "session", undefined, { token: added.body.key });
    expect(asAgent.status).toBe(403);
    expect(asAgent.text).toContain("an agent's credential");
    const listed = await ask("GET", "agents");
    expect(listed.text).not.toContain(added.body.key);
    expect(listed.body.agents).toEqual([
      { id: AGENT, owner: "owen", revoked_at: null },
      { id: "night-bot", owner: "owen", revoked_at: null },
    ]);
    expect((await ask("DELETE", "agents/night-bot")).status).toBe(204);
    expect((await ask("DELETE", "agents/night-bot")).status).toBe(404);
    expect((await ask("GET", "session", undefined, { token: added.body.key })).status).toBe(401);
    expect((await ask("GET", "agents")).body.agents).toContainEqual({
      id: "night-bot",
      owner: "owen",
      revoked_at: new Date(gateway.clock.nowMs()).toISOString(),
    });
  });

  test("have an owner who is there", async () => {
    expect((await ask("POST", "agents", { id: "bot", owner: "nobody-there" })).status).toBe(404);
    await ask("DELETE", "people/owen");
    expect((await ask("POST", "agents", { id: "bot", owner: "owen" })).status).toBe(404);
    expect((await ask("POST", "agents", { id: "sarah", owner: "anna" })).status).toBe(409);
  });
});
