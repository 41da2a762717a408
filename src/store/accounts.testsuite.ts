import { describe, expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import type { PersonId } from "../domain/ids.ts";
import { MAX_SESSIONS_OF_PERSON, SESSION_IDLE_MS, SESSION_LIFETIME_MS } from "../domain/session.ts";
import type { Store } from "../governance/ports.ts";
import { ADMIN, OWNER, openGateway, RITA, SARAH, SARAH_TOKEN } from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

const NOBODY = "nobody" as PersonId;
const OTTO = "otto" as PersonId;
const BY_TOKEN = { kind: "token", sha256: SARAH_TOKEN } as const;
const wrongPrincipal = expect.objectContaining({ code: "auth.wrong_principal" });

export function testAccounts(subject: () => Subject): void {
  const signIn = async (name: string, personId = SARAH) => {
    const { store } = subject().gateway;
    expect(await store.openSession({ sha256: sha256(name), personId, proof: BY_TOKEN })).toBe(true);
    return sha256(name);
  };

  async function eventsSince(count: number) {
    const rows = await subject().database.sql("select bytes from ledger_events order by id");
    return rows
      .map((row) => JSON.parse(String(row["bytes"])) as { type: string; actor: object; details: object })
      .slice(count)
      .map(({ type, actor, details }) => ({ type, actor, details }));
  }
  const eventCount = async () => (await eventsSince(0)).length;

  describe("passwords", () => {
    test("are found by the person's id, and replaced only by who knew the one before", async () => {
      const { store } = subject().gateway;
      expect(await store.findPassword(SARAH)).toBeNull();
      expect(await store.setPassword({ id: SARAH, hash: "h1", own: { replaces: "guess" } })).toBe("outdated");
      expect(await store.setPassword({ id: SARAH, hash: "h1", own: { replaces: null } })).toBe("set");
      expect(await store.setPassword({ id: SARAH, hash: "h2", own: { replaces: null } })).toBe("outdated");
      expect(await store.findPassword(SARAH)).toEqual({
        person: { id: SARAH, roles: ["reviewer"], revokedAtMs: null },
        hash: "h1",
      });
      expect(await store.setPassword({ id: SARAH, hash: "h2", own: { replaces: "h1" } })).toBe("set");
      expect(await store.setPassword({ id: SARAH, hash: "h3", own: null })).toBe("set");
      expect((await store.findPassword(SARAH))?.hash).toBe("h3");
      expect(await store.setPassword({ id: NOBODY, hash: "h", own: null })).toBe("unknown_person");
    });

    test("of two changes at once, one stands", async () => {
      const { store } = subject().gateway;
      await store.setPassword({ id: SARAH, hash: "h1", own: null });
      const change = (hash: string) => store.setPassword({ id: SARAH, hash, own: { replaces: "h1" } });
      expect(await Promise.all([change("h2"), change("h3")])).toEqual(["set", "outdated"]);
      expect((await store.findPassword(SARAH))?.hash).toBe("h2");
    });

    test("may be hashed anew, which signs nobody out and overwrites no newer one", async () => {
      const { store } = subject().gateway;
      await store.setPassword({ id: SARAH, hash: "h1", own: null });
      const session = await signIn("browser");
      await store.rehashPassword({ id: SARAH, replaces: "h1", hash: "h1 at a higher cost" });
      expect((await store.findPassword(SARAH))?.hash).toBe("h1 at a higher cost");
      expect(await store.findSession(session)).not.toBeNull();
      await store.rehashPassword({ id: SARAH, replaces: "h1", hash: "late" });
      expect((await store.findPassword(SARAH))?.hash).toBe("h1 at a higher cost");
    });

    test("and tokens are listed as means to sign in, without the people who were revoked", async () => {
      const { store } = subject().gateway;
      await store.setPassword({ id: OWNER, hash: "h", own: null });
      expect(await store.listSignInMeans()).toEqual(
        new Map([
          [ADMIN, { password: false, token: false }],
          [OWNER, { password: true, token: false }],
          [RITA, { password: false, token: false }],
          [SARAH, { password: false, token: true }],
        ]),
      );
      await store.revokePerson({ id: SARAH, by: ADMIN });
      expect([...(await store.listSignInMeans()).keys()]).toEqual([ADMIN, OWNER, RITA]);
    });
  });

  describe("sessions", () => {
    test("are kept by the hash of their id, across a restart, until they are closed", async () => {
      const { database, gateway } = subject();
      const session = await signIn("browser");
      const opened = { personId: SARAH, openedAtMs: gateway.clock.nowMs(), usedAtMs: gateway.clock.nowMs() };
      const other = await openGateway(database, {
        name: "other",
        clock: gateway.clock,
        besideGateway: true,
      });
      expect(await other.store.findSession(session)).toEqual(opened);
      gateway.clock.advance(5_000);
      await gateway.store.noteSessionUse(session);
      expect(await other.store.findSession(session)).toEqual({
        ...opened,
        usedAtMs: opened.usedAtMs + 5_000,
      });
      await other.store.closeSession(session);
      await other.store.closeSession(session);
      await other.store.close();
      expect(await gateway.store.findSession(session)).toBeNull();
      await gateway.store.noteSessionUse(session);
      expect(await gateway.store.findSession(session)).toBeNull();
    });

    test.each<[string, (store: Store) => Promise<unknown>]>([
      ["a new password", (store) => store.setPassword({ id: SARAH, hash: "h", own: { replaces: null } })],
      ["a new token", (store) => store.rotateToken({ id: SARAH, tokenSha256: sha256("new"), by: ADMIN })],
      ["other roles", (store) => store.changeRoles({ id: SARAH, roles: ["auditor"], by: ADMIN })],
      ["a revocation", (store) => store.revokePerson({ id: SARAH, by: ADMIN })],
      ["signing out everywhere", (store) => store.closeAllSessions(SARAH)],
    ])("all of a person's end with %s, and nobody else's", async (_, change) => {
      const { store } = subject().gateway;
      await store.setPassword({ id: OWNER, hash: "h", own: null });
      const own = [await signIn("desk"), await signIn("phone")];
      const proof = { kind: "password", hash: "h" } as const;
      expect(await store.openSession({ sha256: sha256("other"), personId: OWNER, proof })).toBe(true);
      await change(store);
      for (const session of own) expect(await store.findSession(session)).toBeNull();
      expect(await store.findSession(sha256("other"))).not.toBeNull();
    });

    test("are not opened with what stopped being good while it was checked", async () => {
      const { store } = subject().gateway;
      const open = (proof: Parameters<Store["openSession"]>[0]["proof"], personId = SARAH) =>
        store.openSession({ sha256: sha256("late"), personId, proof });
      await store.setPassword({ id: SARAH, hash: "h1", own: null });
      expect(await open({ kind: "password", hash: "h0" })).toBe(false);
      expect(await open({ kind: "token", sha256: sha256("guess") })).toBe(false);
      expect(await open(BY_TOKEN, OWNER)).toBe(false);
      await store.rotateToken({ id: SARAH, tokenSha256: sha256("new"), by: null });
      expect(await open(BY_TOKEN)).toBe(false);
      await store.changeRoles({ id: SARAH, roles: [], by: null });
      expect(await open({ kind: "password", hash: "h1" })).toBe(false);
      await store.changeRoles({ id: SARAH, roles: ["reviewer"], by: null });
      await store.revokePerson({ id: SARAH, by: null });
      expect(await open({ kind: "password", hash: "h1" })).toBe(false);
      expect(await open({ kind: "token", sha256: sha256("new") })).toBe(false);
      expect(await store.findSession(sha256("late"))).toBeNull();
    });

    test("are forgotten when they ended by themselves, and the one used longest ago when there are too many", async () => {
      const { database, gateway } = subject();
      const { clock, store } = gateway;
      const count = async () => Number((await database.sql("select count(*) as n from sessions"))[0]?.["n"]);
      for (let i = 0; i < MAX_SESSIONS_OF_PERSON; i += 1) {
        clock.advance(1);
        await signIn(`browser ${i}`);
      }
      clock.advance(1);
      await store.noteSessionUse(sha256("browser 0"));
      await signIn("one more");
      expect(await count()).toBe(MAX_SESSIONS_OF_PERSON);
      expect(await store.findSession(sha256("browser 0"))).not.toBeNull();
      expect(await store.findSession(sha256("browser 1"))).toBeNull();
      clock.advance(SESSION_IDLE_MS);
      await signIn("after an hour");
      expect(await count()).toBe(1);
      for (let used = 0; used < SESSION_LIFETIME_MS; used += SESSION_IDLE_MS / 2) {
        clock.advance(SESSION_IDLE_MS / 2);
        await store.noteSessionUse(sha256("after an hour"));
      }
      await signIn("after a day");
      expect(await count()).toBe(1);
    });
  });

  describe("changes of people", () => {
    test("a rotated token opens nothing any more, and a token is never issued twice", async () => {
      const { store } = subject().gateway;
      expect(await store.rotateToken({ id: SARAH, tokenSha256: sha256("new"), by: ADMIN })).toBe(true);
      expect(await store.findByCredential(SARAH_TOKEN)).toBeNull();
      expect(await store.findByCredential(sha256("new"))).toMatchObject({ person: { id: SARAH } });
      await expect(
        store.rotateToken({ id: SARAH, tokenSha256: SARAH_TOKEN, by: ADMIN }),
      ).rejects.toMatchObject({ code: "resource.conflict" });
      expect(await store.findByCredential(sha256("new"))).toMatchObject({ person: { id: SARAH } });
      expect(await store.rotateToken({ id: NOBODY, tokenSha256: sha256("x"), by: ADMIN })).toBe(false);
    });

    test("a revoked person has nothing left, is revoked once, and their id is taken for ever", async () => {
      const { gateway, database } = subject();
      const { store, clock } = gateway;
      await store.setPassword({ id: SARAH, hash: "h", own: null });
      expect(await store.revokePerson({ id: SARAH, by: ADMIN })).toBe("done");
      expect(await store.revokePerson({ id: SARAH, by: ADMIN })).toBe("unknown_person");
      expect(await store.findByCredential(SARAH_TOKEN)).toBeNull();
      expect(await store.findPassword(SARAH)).toBeNull();
      expect(await database.sql("select * from passwords")).toEqual([]);
      expect(await store.getPerson(SARAH)).toMatchObject({ revokedAtMs: clock.nowMs() });
      for (const change of [
        store.setPassword({ id: SARAH, hash: "h", own: null }),
        store.changeRoles({ id: SARAH, roles: ["admin"], by: ADMIN }),
      ])
        expect(await change).toBe("unknown_person");
      expect(await store.rotateToken({ id: SARAH, tokenSha256: sha256("new"), by: ADMIN })).toBe(false);
      await expect(
        store.addPerson({ id: SARAH, roles: [], tokenSha256: null, by: ADMIN }),
      ).rejects.toMatchObject({ code: "resource.conflict" });
    });

    test("an admin cannot take away the last admin, whoever is first; the command line can", async () => {
      const { store } = subject().gateway;
      expect(await store.revokePerson({ id: ADMIN, by: ADMIN })).toBe("last_admin");
      expect(await store.changeRoles({ id: ADMIN, roles: ["auditor"], by: ADMIN })).toBe("last_admin");
      await store.addPerson({ id: OTTO, roles: ["admin"], tokenSha256: sha256("otto"), by: ADMIN });
      const [first, second] = await Promise.allSettled([
        store.revokePerson({ id: OTTO, by: ADMIN }),
        store.revokePerson({ id: ADMIN, by: OTTO }),
      ]);
      expect(first).toEqual({ status: "fulfilled", value: "done" });
      expect(second).toEqual({ status: "rejected", reason: wrongPrincipal });
      expect(await store.revokePerson({ id: ADMIN, by: ADMIN })).toBe("last_admin");
      expect(await store.changeRoles({ id: ADMIN, roles: ["admin", "reviewer"], by: ADMIN })).toBe("done");
      expect(await store.revokePerson({ id: ADMIN, by: null })).toBe("done");
    });

    test("are refused to whoever is no admin at the moment of the commit", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const before = await eventCount();
      for (const by of [SARAH, OWNER, NOBODY]) {
        const changes = [
          store.changeRoles({ id: SARAH, roles: ["admin"], by }),
          store.revokePerson({ id: OWNER, by }),
          store.rotateToken({ id: OWNER, tokenSha256: sha256("mine"), by }),
          store.addPerson({ id: OTTO, roles: ["admin"], tokenSha256: null, by }),
          store.addAgent({ id: "bot" as never, ownerId: OWNER, keySha256: sha256("bot"), by }),
          store.revokeAgent({ id: gateway.openParams().agentId, by }),
        ];
        for (const change of changes) await expect(change).rejects.toEqual(wrongPrincipal);
      }
      expect(await eventCount()).toBe(before);
    });

    test("each is on record with who made it and ids alone, and only when something changed", async () => {
      const { store, writer } = subject().gateway;
      const before = await eventCount();
      await store.setPassword({ id: SARAH, hash: "$scrypt$marker", own: null });
      await store.setPassword({ id: SARAH, hash: "$scrypt$marker2", own: { replaces: "$scrypt$marker" } });
      await store.rehashPassword({ id: SARAH, replaces: "$scrypt$marker2", hash: "$scrypt$marker3" });
      await store.recordSignInFailed(SARAH);
      const session = await signIn("marker");
      await store.closeSession(session);
      await store.closeSession(session);
      await store.closeAllSessions(SARAH);
      await store.rotateToken({ id: SARAH, tokenSha256: sha256("token marker"), by: ADMIN });
      await store.changeRoles({ id: SARAH, roles: ["reviewer", "auditor"], by: ADMIN });
      await store.changeRoles({ id: SARAH, roles: ["auditor", "reviewer"], by: ADMIN });
      await store.revokePerson({ id: SARAH, by: ADMIN });
      const engine = { kind: "engine", id: writer };
      const admin = { kind: "admin", id: ADMIN };
      const sarah = { kind: "reviewer", id: SARAH };
      const person = SARAH;
      const events = await eventsSince(before);
      expect(events).toEqual([
        { type: "person.password_set", actor: engine, details: { person } },
        { type: "person.password_set", actor: sarah, details: { person } },
        { type: "person.password_rehashed", actor: engine, details: { person } },
        { type: "person.sign_in_failed", actor: engine, details: { person } },
        { type: "person.signed_in", actor: sarah, details: { person, with: "token" } },
        { type: "person.signed_out", actor: sarah, details: { person, everywhere: false } },
        { type: "person.signed_out", actor: sarah, details: { person, everywhere: true } },
        { type: "person.token_rotated", actor: admin, details: { person } },
        { type: "person.roles_changed", actor: admin, details: { person, roles: ["auditor", "reviewer"] } },
        { type: "person.revoked", actor: admin, details: { person } },
      ]);
      expect(JSON.stringify(events)).not.toMatch(/marker|[0-9a-f]{64}/);
    });
  });
}
