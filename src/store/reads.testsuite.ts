import { describe, expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import type { ReadParams } from "../governance/transitions/read.ts";
import { readEvent, type StoredEvent } from "../ledger/chain.ts";
import { ADMIN, AGENT, POLICY, TOOL } from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

const URI = "notes://MARKER-secret";

const allowed: ReadParams = {
  readId: "read-1",
  agentId: AGENT,
  method: "resources/read",
  kind: "resource",
  subjectSha256: sha256(URI),
  ruled: { upstream: TOOL.upstream, policy: { verdict: "allow", ruleId: "rule-1", version: POLICY } },
  ruling: { allowed: true, reasonId: "policy.allowed", observedReasonId: null },
};

export function testReads(subject: () => Subject): void {
  async function lastEvents(count: number) {
    const rows = await subject().database.sql(
      "select writer, sequence, ref, hash, bytes from ledger_events order by id",
    );
    return rows.slice(-count).map((row) => {
      const read = readEvent(row as unknown as StoredEvent);
      if (!read.ok) throw new Error(read.failure);
      return read.value;
    });
  }

  describe("reads", () => {
    test("an allowed read and its answer are on record, as hashes", async () => {
      const { store } = subject().gateway;
      expect(await store.recordRead(allowed)).toEqual({ kind: "allowed" });
      await store.recordReadAnswer({
        readId: "read-1",
        agentId: AGENT,
        upstream: TOOL.upstream,
        reasonId: "upstream.answered",
        resultSha256: sha256("result"),
      });
      const actor = { kind: "agent", id: AGENT };
      expect(await lastEvents(2)).toMatchObject([
        {
          type: "read.allowed",
          actor,
          details: {
            read: "read-1",
            method: "resources/read",
            kind: "resource",
            upstream: TOOL.upstream,
            subject_sha256: sha256(URI),
            reason: "policy.allowed",
            policy_version: POLICY,
            rule: "rule-1",
            verdict: "allow",
          },
        },
        {
          type: "read.answered",
          actor,
          details: { read: "read-1", reason: "upstream.answered", result_sha256: sha256("result") },
        },
      ]);
    });

    test("a refused read is on record with its reason", async () => {
      const { store } = subject().gateway;
      const ruling = { allowed: false, reasonId: "resource.unknown", observedReasonId: null } as const;
      expect(await store.recordRead({ ...allowed, ruled: null, ruling })).toEqual({
        kind: "refused",
        reasonId: "resource.unknown",
      });
      expect(await lastEvents(1)).toMatchObject([
        { type: "read.refused", details: { reason: "resource.unknown" } },
      ]);
    });

    test.each([
      { scope: "all", target: "*" },
      { scope: "upstream", target: TOOL.upstream },
      { scope: "agent", target: AGENT },
    ] as const)("a kill switch on $scope refuses it from its commit on", async (killSwitch) => {
      const { store } = subject().gateway;
      await store.engageKillSwitch({ ...killSwitch, by: ADMIN, reason: "stop" });
      const refused = { kind: "refused", reasonId: "kill_switch.engaged" };
      expect(await store.recordRead(allowed)).toEqual(refused);
      expect(await lastEvents(1)).toMatchObject([{ type: "read.refused" }]);
      await store.releaseKillSwitch({ ...killSwitch, by: ADMIN, reason: null });
      expect(await store.recordRead(allowed)).toEqual({ kind: "allowed" });
    });

    test("a kill switch on a tool refuses none", async () => {
      const { store } = subject().gateway;
      const target = `${TOOL.upstream}/${TOOL.name}`;
      await store.engageKillSwitch({ scope: "tool", target, by: ADMIN, reason: "stop" });
      expect(await store.recordRead(allowed)).toEqual({ kind: "allowed" });
    });

    test("a revoked agent is refused", async () => {
      const { store } = subject().gateway;
      await store.revokeAgent({ id: AGENT, by: ADMIN });
      expect(await store.recordRead(allowed)).toEqual({ kind: "refused", reasonId: "agent.revoked" });
    });

    test("a read that an older policy allowed is not recorded", async () => {
      const { store } = subject().gateway;
      await store.activatePolicy("policy-2");
      const before = (await lastEvents(1))[0]?.seq;
      expect(await store.recordRead(allowed)).toEqual({ kind: "policy_outdated" });
      expect((await lastEvents(1))[0]?.seq).toBe(before);
    });
  });
}
