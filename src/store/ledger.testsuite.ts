import { describe, expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import type { AgentId } from "../domain/ids.ts";
import { payload } from "../governance/transitions/plan.ts";
import { readEvent, type StoredEvent } from "../ledger/chain.ts";
import { keyIdOf, publicKeyText } from "../ledger/signing-key.ts";
import {
  ADMIN,
  AGENT,
  allowed,
  OWNER,
  openGateway,
  POLICY,
  type TestDatabase,
  TOOL,
  testSigningKey,
} from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

async function storedEvents(database: TestDatabase): Promise<StoredEvent[]> {
  const rows = await database.sql("select writer, sequence, ref, hash, bytes from ledger_events order by id");
  return rows.map((row) => row as unknown as StoredEvent);
}

export async function readEvents(database: TestDatabase) {
  return (await storedEvents(database)).map((stored) => {
    const read = readEvent(stored);
    if (!read.ok) throw new Error(read.failure);
    return read.value;
  });
}

export function testLedger(subject: () => Subject): void {
  describe("ledger", () => {
    test("calls that policy allows on a tool marked safe to repeat say that the power may take them back; no others do", async () => {
      const { gateway, database } = subject();
      const marked = { ...TOOL, safeToRepeat: true };
      const auto = { to: "AUTHORIZED", authorization: "auto", reasonId: "risk.below_threshold" } as const;
      const said = async (change: Parameters<typeof gateway.opened>[0]) => {
        const { case: opened, durability } = await gateway.opened(change);
        if (opened.state === "EXECUTING")
          await gateway.store.recordOutcome({ ...gateway.outcome(opened), durability });
        const events = (await readEvents(database)).filter((event) => event.case === opened.ref);
        return events.map((event) => event.details["durability"]);
      };
      expect(await said({ tool: marked, safeToRepeat: true, ruling: allowed })).toEqual(
        Array.from({ length: 4 }, () => "normal"),
      );
      for (const change of [
        { tool: marked, safeToRepeat: true, ruling: auto },
        { tool: marked, safeToRepeat: true, ruling: allowed, observe: true },
        // What the assessor takes for a read is not marked.
        { tool: TOOL, safeToRepeat: true, ruling: allowed },
        { tool: TOOL, safeToRepeat: false, ruling: allowed },
        // Policy allows it, but the definition is not the accepted one.
        { tool: { ...marked, pin: sha256("changed") }, safeToRepeat: true, ruling: allowed },
      ]) {
        expect(new Set(await said(change))).toEqual(new Set([undefined]));
      }
    });

    test("administrative changes are on record, with who made them, and only when something changed", async () => {
      const { gateway, database } = subject();
      const { store, writer } = gateway;
      const before = (await readEvents(database)).length;
      await store.recordUpstream({ name: TOOL.upstream, fingerprint: TOOL.upstreamFingerprint });
      await store.recordTools({ upstream: TOOL.upstream, tools: [TOOL] });
      await store.activatePolicy(POLICY);
      expect(await readEvents(database)).toHaveLength(before);

      await store.recordUpstream({ name: TOOL.upstream, fingerprint: sha256("moved") });
      await store.recordTools({ upstream: TOOL.upstream, tools: [{ ...TOOL, pin: sha256("other") }] });
      await store.recordTools({ upstream: TOOL.upstream, tools: [] });
      await store.activatePolicy("policy-2");
      await store.addAgent({ id: "b" as AgentId, ownerId: OWNER, keySha256: sha256("b"), by: ADMIN });
      await store.revokeAgent({ id: AGENT, by: ADMIN });
      await store.engageKillSwitch({ scope: "all", target: "*", by: ADMIN, reason: "stop" });
      await store.releaseKillSwitch({ scope: "all", target: "*", by: ADMIN, reason: "over" });
      await store.recordRefusal({ agentId: AGENT, reasonId: "tool.unknown", toolSha256: sha256("guess") });
      const engine = { kind: "engine", id: writer };
      const admin = { kind: "admin", id: ADMIN };
      expect((await readEvents(database)).slice(before).map((e) => [e.type, e.actor])).toEqual([
        ["upstream.recorded", engine],
        ["tool.changed", engine],
        ["tool.changed", engine],
        ["policy.activated", engine],
        ["agent.added", admin],
        ["agent.revoked", admin],
        ["kill_switch.engaged", admin],
        ["kill_switch.released", admin],
        ["call.refused", { kind: "agent", id: AGENT }],
      ]);
    });

    test("holds no argument, reason, rationale, result or definition text", async () => {
      const { gateway, database } = subject();
      const { store, random } = gateway;
      const marker = "MARKER-7f3a";
      const { case: waiting } = await gateway.opened({
        argumentsText: `{"iban":"${marker}"}`,
        meta: payload("meta", marker, random),
      });
      await store.recordDecision(gateway.decision(waiting, { reason: payload("reason", marker, random) }));
      const claimed = await store.claim(gateway.claimParams(waiting));
      if (claimed.kind !== "claimed") throw new Error(claimed.kind);
      await store.recordOutcome(gateway.outcome(claimed.case, { result: payload("result", marker, random) }));
      await store.engageKillSwitch({ scope: "all", target: "*", by: ADMIN, reason: marker });
      expect(await store.getPayload(waiting.ref, "result")).toBe(marker);
      for (const { bytes } of await storedEvents(database)) expect(bytes).not.toContain(marker);
    });

    test("a start names its key, joins the chain before it, and says when that one was cut off", async () => {
      const { gateway, database } = subject();
      const last = (await storedEvents(database)).at(-1);
      // Opened while the first still lives: to the second it looks as if it had died.
      const second = await openGateway(database, { clock: gateway.clock, name: "second" });
      const [started, gap] = (await readEvents(database)).slice(-2);
      expect(started).toMatchObject({
        type: "writer.started",
        writer: second.writer,
        seq: 1,
        prev: null,
        details: {
          key: publicKeyText(testSigningKey),
          key_id: keyIdOf(testSigningKey),
          joins: [[gateway.writer, last?.sequence, last?.hash]],
        },
      });
      expect(gap).toMatchObject({
        type: "ledger.gap",
        details: { writer: gateway.writer, sequence: last?.sequence },
      });
      await second.store.close();

      const third = await openGateway(database, { clock: gateway.clock, name: "third" });
      const joined = (await readEvents(database)).at(-1);
      expect(joined).toMatchObject({
        type: "writer.started",
        details: { joins: [[second.writer, 3, expect.any(String)]] },
      });
      await third.store.close();
    });

    test("an administrative change beside a running gateway does not take it for dead", async () => {
      const { gateway, database } = subject();
      const beside = await openGateway(database, {
        clock: gateway.clock,
        name: "beside",
        besideGateway: true,
      });
      await gateway.opened();
      await beside.store.close();
      await gateway.opened();
      await gateway.store.close();
      const events = await readEvents(database);
      expect(events.map((e) => e.type)).not.toContain("ledger.gap");
      expect(events.find((e) => e.writer === beside.writer)?.details).toMatchObject({ joins: [] });

      const next = await openGateway(database, { clock: gateway.clock, name: "next" });
      const started = (await readEvents(database)).at(-1);
      expect(started?.details["joins"]).toHaveLength(2);
      await next.store.close();
    });

    test("an orderly end stops the chain and signs its last event", async () => {
      const { gateway, database } = subject();
      await gateway.opened({ ruling: allowed });
      await gateway.store.close();
      const last = (await storedEvents(database)).at(-1);
      expect((await readEvents(database)).at(-1)?.type).toBe("writer.stopped");
      expect(await database.sql("select writer, sequence, hash from ledger_heads")).toEqual([
        { writer: gateway.writer, sequence: last?.sequence, hash: last?.hash },
      ]);
    });

    test("a start refuses to go on from a chain that lost its signed end", async () => {
      const { gateway, database } = subject();
      await gateway.store.close();
      await database.sql("delete from ledger_events where id = (select max(id) from ledger_events)");
      const opening = openGateway(database, { clock: gateway.clock, name: "second" });
      await expect(opening).rejects.toMatchObject({ code: "ledger.broken" });
    });
  });
}
