import { createPublicKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Case } from "../domain/case.ts";
import type { PayloadKind } from "../governance/transitions/plan.ts";
import { PAYLOAD_KINDS, payload } from "../governance/transitions/plan.ts";
import type { StoredCase, StoredPayload } from "../ledger/case-check.ts";
import type { StoredEvent } from "../ledger/chain.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { denied, type Gateway, HOUR_MS, type TestDatabase, testSigningKey } from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

/** A case that was approved and ran, with a kept result. */
async function ended(gateway: Gateway): Promise<Case> {
  const { store, random } = gateway;
  const approved = await gateway.approved();
  const claimed = await store.claim(gateway.claimParams(approved));
  if (claimed.kind !== "claimed") throw new Error(claimed.kind);
  const result = payload("result", '{"result":{}}', random);
  await store.recordOutcome(gateway.outcome(claimed.case, { result }));
  return claimed.case;
}

async function keptKinds(gateway: Gateway, { ref }: Case): Promise<readonly PayloadKind[]> {
  const texts = await Promise.all(
    PAYLOAD_KINDS.map(async (kind) => [kind, await gateway.store.getPayload(ref, kind)] as const),
  );
  return texts.filter(([, text]) => text !== null).map(([kind]) => kind);
}

async function findings(database: TestDatabase): Promise<readonly string[]> {
  const rows = async <Row>(sql: string) => (await database.sql(sql)) as unknown as Row[];
  const report = verifyLedger({
    events: await rows<StoredEvent>(
      "select writer, sequence, ref, hash, bytes from ledger_events order by id",
    ),
    heads: [],
    publicKey: createPublicKey(testSigningKey),
    cases: await rows<StoredCase>('select ref, state, reason_id as "reasonId" from cases'),
    payloads: await rows<StoredPayload>("select ref, kind, salt, text from payloads"),
  });
  return report.findings.map((f) => f.id);
}

async function erasures(database: TestDatabase): Promise<readonly unknown[]> {
  const rows = await database.sql("select bytes from ledger_events order by id");
  return rows
    .map((row) => JSON.parse(String(row["bytes"])) as { type: string; details: unknown })
    .filter((event) => event.type === "payloads.erased")
    .map((event) => event.details);
}

export function testErasure(subject: () => Subject): void {
  describe("erasure", () => {
    test("takes the results of cases that ended before the time, and says so in the ledger, which still verifies", async () => {
      const { gateway, database } = subject();
      const { store, clock } = gateway;
      const old = await ended(gateway);
      clock.advance(HOUR_MS);
      const endedBeforeMs = clock.nowMs();
      const young = await ended(gateway);
      expect(await store.countExpired({ scope: "results", endedBeforeMs })).toBe(1);
      expect(await store.eraseExpired({ scope: "results", endedBeforeMs, limit: 10 })).toEqual({
        cases: 1,
        texts: 1,
      });
      expect(await store.countExpired({ scope: "results", endedBeforeMs })).toBe(0);
      expect(await keptKinds(gateway, old)).toEqual(["arguments", "assessment"]);
      expect(await keptKinds(gateway, young)).toContain("result");
      expect(await store.getCase(old.ref)).toMatchObject({
        state: "SUCCEEDED",
        resultErasedAtMs: clock.nowMs(),
        textsErasedAtMs: null,
      });
      expect(await erasures(database)).toEqual([
        { scope: "results", ended_before: new Date(endedBeforeMs).toISOString(), texts: 1, cases: [old.ref] },
      ]);
      expect(await findings(database)).toEqual([]);
    });

    test("takes every text of an ended case with its salt, and none of one that has not ended", async () => {
      const { gateway, database } = subject();
      const { store, clock } = gateway;
      const ran = await ended(gateway);
      const { case: refused } = await gateway.opened({ ruling: denied });
      const { case: waiting } = await gateway.opened();
      const waitingKinds = await keptKinds(gateway, waiting);
      clock.advance(1);
      const params = { scope: "texts", endedBeforeMs: clock.nowMs(), limit: 10 } as const;
      expect(await store.countExpired(params)).toBe(2);
      expect(await store.eraseExpired(params)).toEqual({ cases: 2, texts: 5 });
      expect(await database.sql("select distinct ref from payloads")).toEqual([{ ref: waiting.ref }]);
      expect(await keptKinds(gateway, waiting)).toEqual(waitingKinds);
      const now = clock.nowMs();
      expect(await store.getCase(ran.ref)).toMatchObject({ textsErasedAtMs: now, resultErasedAtMs: now });
      expect(await store.getCase(refused.ref)).toMatchObject({
        textsErasedAtMs: now,
        resultErasedAtMs: null,
      });
      expect(await findings(database)).toEqual([]);
    });

    test("goes on where it stopped, batch by batch, and writes nothing when nothing is over", async () => {
      const { gateway, database } = subject();
      const { store, clock } = gateway;
      for (let i = 0; i < 3; i++) await gateway.opened({ ruling: denied });
      clock.advance(1);
      const params = { scope: "texts", endedBeforeMs: clock.nowMs(), limit: 2 } as const;
      expect((await store.eraseExpired(params)).cases).toBe(2);
      expect((await store.eraseExpired(params)).cases).toBe(1);
      expect((await store.eraseExpired(params)).cases).toBe(0);
      expect(await erasures(database)).toHaveLength(2);
    });

    test("a text that is gone without an event is a finding", async () => {
      const { gateway, database } = subject();
      const ran = await ended(gateway);
      await database.sql(`delete from payloads where ref = '${ran.ref}' and kind = 'assessment'`);
      expect(await findings(database)).toEqual(["payload.missing"]);
    });
  });
}
