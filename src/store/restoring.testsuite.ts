import { createPublicKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import type { StoredCase } from "../ledger/case-check.ts";
import type { StoredEvent } from "../ledger/chain.ts";
import { verifyLedger } from "../ledger/verify.ts";
import {
  denied,
  HOUR_MS,
  REVIEW_FOR_MS,
  SARAH,
  type TestDatabase,
  testSigningKey,
} from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

async function findings(database: TestDatabase): Promise<readonly string[]> {
  const rows = async <Row>(sql: string) => (await database.sql(sql)) as unknown as Row[];
  const report = verifyLedger({
    events: await rows<StoredEvent>(
      "select writer, sequence, ref, hash, bytes from ledger_events order by id",
    ),
    heads: [],
    publicKey: createPublicKey(testSigningKey),
    cases: await rows<StoredCase>('select ref, state, reason_id as "reasonId" from cases'),
    payloads: null,
  });
  return report.findings.map((f) => f.sentence);
}

export function testRestoring(subject: () => Subject): void {
  describe("restoring", () => {
    const all = { limit: 100, reviewForMs: REVIEW_FOR_MS };

    test("no authorization of a copy stands: an approved call goes back to a human, with a new digest", async () => {
      const { gateway, database } = subject();
      const { store, clock } = gateway;
      const approved = await gateway.approved();
      clock.advance(30 * HOUR_MS);
      expect(await store.reviewOpenCases(all)).toBe(1);
      const after = await store.getCase(approved.ref);
      expect(after).toMatchObject({
        state: "AWAITING_REVIEW",
        reasonId: "restore.uncertain",
        authorization: null,
        authorizedDigest: null,
        decidedBy: null,
        reviewByMs: clock.nowMs() + REVIEW_FOR_MS,
      });
      expect(after?.actionDigest).not.toBe(approved.actionDigest);
      expect((await store.claim(gateway.claimParams(approved))).kind).toBe("not_claimable");
      expect(await findings(database)).toEqual([]);
    });

    test("what waited for a human waits again, and a decision on what was shown before is refused", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { case: waiting } = await gateway.opened();
      await store.takeReview({
        ref: waiting.ref,
        personId: SARAH,
        takeForMs: HOUR_MS,
        takeOver: false,
        singleOperator: false,
      });
      await store.reviewOpenCases(all);
      const refused = await store.recordDecision(gateway.decision(waiting));
      expect(refused.kind).not.toBe("recorded");
      const now = await store.getCase(waiting.ref);
      if (now === null) throw new Error("the case is gone");
      expect((await store.recordDecision(gateway.decision(now))).kind).toBe("recorded");
    });

    test("a run that was begun is UNKNOWN, and its claim can report nothing any more", async () => {
      const { gateway, database } = subject();
      const { store } = gateway;
      const claimed = await store.claim(gateway.claimParams(await gateway.approved()));
      if (claimed.kind !== "claimed") throw new Error(claimed.kind);
      expect(await store.reviewOpenCases(all)).toBe(1);
      expect(await store.getCase(claimed.case.ref)).toMatchObject({
        state: "UNKNOWN",
        reasonId: "dispatch.lost",
      });
      expect((await store.recordOutcome(gateway.outcome(claimed.case))).kind).toBe("fenced");
      expect(await findings(database)).toEqual([]);
    });

    test("goes on batch by batch, leaves what has ended, and a second time finds nothing", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { case: refused } = await gateway.opened({ ruling: denied });
      for (let i = 0; i < 3; i++) await gateway.opened();
      expect(await store.reviewOpenCases({ ...all, limit: 2 })).toBe(2);
      expect(await store.reviewOpenCases({ ...all, limit: 2 })).toBe(1);
      expect(await store.reviewOpenCases({ ...all, limit: 2 })).toBe(0);
      expect(await store.getCase(refused.ref)).toEqual(refused);
    });

    test("is on record with what it came from, and signs everybody out", async () => {
      const { gateway, database } = subject();
      const { store, clock } = gateway;
      const params = { backupSha256: sha256("backup"), throughMs: clock.nowMs(), cases: 2 };
      await store.recordRestored(params);
      const events = await database.sql("select bytes from ledger_events order by id desc limit 1");
      expect(JSON.parse(String(events[0]?.["bytes"]))).toMatchObject({
        type: "record.restored",
        details: {
          backup_sha256: params.backupSha256,
          through: new Date(params.throughMs).toISOString(),
          cases: 2,
          sessions: 0,
        },
      });
      expect(await database.sql("select * from sessions")).toEqual([]);
    });
  });
}
