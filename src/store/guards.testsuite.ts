import { describe, expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import type { AgentId, PersonId } from "../domain/ids.ts";
import { ADMIN, AGENT, AGENT_KEY, OWNER, RITA, SARAH, SARAH_TOKEN, TOOL } from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

export function testGuards(subject: () => Subject): void {
  describe("principals", () => {
    test("are found by the hash of their credential", async () => {
      const { store } = subject().gateway;
      expect(await store.findByCredential(AGENT_KEY)).toEqual({
        agent: { id: AGENT, ownerId: OWNER, revokedAtMs: null },
      });
      expect(await store.findByCredential(SARAH_TOKEN)).toEqual({
        person: { id: SARAH, roles: ["reviewer"], revokedAtMs: null },
      });
      expect(await store.findByCredential(sha256("guess"))).toBeNull();
      expect((await store.listAgents()).map((a) => a.id)).toEqual([AGENT]);
      expect((await store.listPeople()).map((p) => p.id)).toEqual([ADMIN, OWNER, RITA, SARAH]);
    });

    test("a revoked agent's credential opens nothing, and it is revoked once", async () => {
      const { store, clock } = subject().gateway;
      expect(await store.revokeAgent({ id: AGENT, by: ADMIN })).toBe(true);
      expect(await store.revokeAgent({ id: AGENT, by: ADMIN })).toBe(false);
      expect(await store.revokeAgent({ id: "stranger" as AgentId, by: ADMIN })).toBe(false);
      expect(await store.findByCredential(AGENT_KEY)).toBeNull();
      expect(await store.getAgent(AGENT)).toMatchObject({ revokedAtMs: clock.nowMs() });
    });

    test("a revoked person's credential opens nothing", async () => {
      const { database, gateway } = subject();
      await database.sql(`update people set revoked_at_ms = 1 where id = '${SARAH}'`);
      expect(await gateway.store.findByCredential(SARAH_TOKEN)).toBeNull();
    });

    test("an agent without a key is known by its id and by no credential", async () => {
      const { database, gateway } = subject();
      const id = "keyless" as AgentId;
      await gateway.store.addAgent({ id, ownerId: OWNER, keySha256: null, by: null });
      expect(await gateway.store.getAgent(id)).toEqual({ id, ownerId: OWNER, revokedAtMs: null });
      expect(await database.sql(`select * from credentials where principal_id = 'keyless'`)).toEqual([]);
      expect(await gateway.store.revokeAgent({ id, by: null })).toBe(true);
    });

    test("one id never means two principals, and one credential never opens for two", async () => {
      const { store } = subject().gateway;
      const agent = { ownerId: OWNER, keySha256: sha256("new"), by: null };
      const person = { roles: ["reviewer"], tokenSha256: sha256("new"), by: null } as const;
      const conflict = expect.objectContaining({ code: "resource.conflict" });
      await expect(store.addAgent({ ...agent, id: AGENT })).rejects.toEqual(conflict);
      await expect(store.addAgent({ ...agent, id: "sarah" as AgentId })).rejects.toEqual(conflict);
      await expect(store.addPerson({ ...person, id: SARAH })).rejects.toEqual(conflict);
      await expect(store.addPerson({ ...person, id: "billing-bot" as PersonId })).rejects.toEqual(conflict);
      await expect(store.addAgent({ ...agent, id: "b" as AgentId, keySha256: SARAH_TOKEN })).rejects.toEqual(
        conflict,
      );
      expect(await store.getAgent("b" as AgentId)).toBeNull();
      await expect(
        store.addAgent({ ...agent, id: "c" as AgentId, ownerId: "nobody" as PersonId }),
      ).rejects.toMatchObject({
        code: "resource.not_found",
      });
    });
  });

  describe("guards", () => {
    test("the accepted pin stays what it was when a tool changes or vanishes", async () => {
      const { store } = subject().gateway;
      const accepted = new Map([[TOOL.name, TOOL.pin]]);
      await store.recordTools({ upstream: TOOL.upstream, tools: [{ ...TOOL, pin: sha256("other") }] });
      expect(await store.acceptedPins(TOOL.upstream)).toEqual(accepted);
      await store.recordTools({ upstream: TOOL.upstream, tools: [] });
      expect(await store.acceptedPins(TOOL.upstream)).toEqual(accepted);
      expect(await store.acceptedPins("other")).toEqual(new Map());
    });

    test("every definition that was ever listed can be read by its pin", async () => {
      const { store } = subject().gateway;
      const later = {
        name: TOOL.name,
        pin: sha256("later"),
        definition: { ...TOOL.definition, description: "later" },
      };
      await store.recordTools({ upstream: TOOL.upstream, tools: [later] });
      expect(await store.getDefinition(TOOL.pin)).toEqual(TOOL.definition);
      expect(await store.getDefinition(later.pin)).toEqual(later.definition);
      expect(await store.getDefinition(sha256("never"))).toBeNull();
    });

    test("kill switches are listed until they are released; repeating either is harmless", async () => {
      const { store } = subject().gateway;
      const killSwitch = { scope: "agent", target: AGENT } as const;
      for (let i = 0; i < 2; i += 1)
        await store.engageKillSwitch({ ...killSwitch, by: ADMIN, reason: "stop" });
      expect(await store.listKillSwitches()).toMatchObject([{ ...killSwitch, by: ADMIN, reason: "stop" }]);
      for (let i = 0; i < 2; i += 1)
        await store.releaseKillSwitch({ ...killSwitch, by: ADMIN, reason: "over" });
      expect(await store.listKillSwitches()).toEqual([]);
    });
  });

  describe("outbox", () => {
    test("a message is due until it is delivered or given up", async () => {
      const { gateway } = subject();
      const { store, clock } = gateway;
      const { case: waiting } = await gateway.opened();
      const [message] = await store.dueMessages(10);
      expect(message).toMatchObject({
        topic: "review.requested",
        ref: waiting.ref,
        attempts: 0,
        createdAtMs: clock.nowMs(),
      });
      const id = message?.id ?? "";
      await store.markAttemptFailed({ id, retryAtMs: clock.nowMs() + 1000, error: "refused" });
      expect(await store.dueMessages(10)).toEqual([]);
      clock.advance(1000);
      expect(await store.dueMessages(10)).toMatchObject([{ id, attempts: 1 }]);
      await store.markAttemptFailed({ id, retryAtMs: null, error: "refused" });
      clock.advance(1_000_000);
      expect(await store.dueMessages(10)).toEqual([]);

      await gateway.opened();
      const [next] = await store.dueMessages(10);
      await store.markDelivered(next?.id ?? "");
      expect(await store.dueMessages(10)).toEqual([]);
    });

    test("a message is written with its change, and not with one that was refused", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { case: waiting } = await gateway.opened();
      // The second case has the reference of the first: its insert fails, and its message with it.
      await expect(store.openCase(gateway.openParams({ ref: waiting.ref }))).rejects.toMatchObject({
        code: "store.failed",
      });
      expect(await store.dueMessages(10)).toHaveLength(1);
      await store.recordDecision(gateway.decision(waiting, { decision: "REJECTED" }));
      expect((await store.dueMessages(10)).map((m) => m.topic).sort()).toEqual([
        "case.ended",
        "review.requested",
      ]);
    });
  });
}
