import { createPublicKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../ledger/chain.ts";
import type { StoredImport } from "../ledger/import-check.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { type TestDatabase, testSigningKey } from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

async function problems(database: TestDatabase): Promise<readonly string[]> {
  const rows = async <Row>(sql: string) => (await database.sql(sql)) as unknown as Row[];
  const report = verifyLedger({
    events: await rows<StoredEvent>(
      "select writer, sequence, ref, hash, bytes from ledger_events order by id",
    ),
    heads: [],
    publicKey: createPublicKey(testSigningKey),
    cases: null,
    payloads: null,
    imports: await rows<StoredImport>("select salt, text from imported_entries"),
  });
  return report.findings.map((f) => f.sentence);
}

export function testImports(subject: () => Subject): void {
  describe("imports", () => {
    const entry = (id: string, atMs: number | null = 1_000) => ({
      id,
      atMs,
      text: `{"tool":"MARKER-${id}"}`,
    });
    const source = { sourceSha256: "ab" };

    test("keeps each entry once, commits to it without its words, and makes no case of it", async () => {
      const { gateway, database } = subject();
      const { store } = gateway;
      expect(await store.importEntries({ ...source, entries: [entry("a"), entry("b"), entry("a")] })).toBe(2);
      expect(await store.importEntries({ ...source, entries: [entry("b"), entry("c")] })).toBe(1);
      expect(await store.importEntries({ ...source, entries: [entry("a")] })).toBe(0);
      expect(await store.listCases({ limit: 10 })).toEqual([]);
      const events = JSON.stringify(await database.sql("select bytes from ledger_events"));
      expect(events.match(/audit\.imported/g)).toHaveLength(2);
      expect(events).not.toContain("MARKER");
      expect(await problems(database)).toEqual([]);
    });

    test("a changed and a missing entry are findings; one that was erased on the record is none", async () => {
      const { gateway, database } = subject();
      const { store } = gateway;
      await store.importEntries({
        ...source,
        entries: [entry("a", 1_000), entry("b", 2_000), entry("c", null)],
      });
      expect(await store.eraseImported({ beforeMs: 1_500, limit: 10 })).toBe(1);
      expect(await store.eraseImported({ beforeMs: 1_500, limit: 10 })).toBe(0);
      expect(await store.importEntries({ ...source, entries: [entry("a")] })).toBe(0);
      expect(await problems(database)).toEqual([]);
      await database.sql("update imported_entries set text = 'x' where id = 'b'");
      expect(await problems(database)).toEqual(["1 imported entries are not what was committed to."]);
      await database.sql("delete from imported_entries where id = 'b'");
      expect(await problems(database)).toEqual(["1 imported entries are missing."]);
      await database.sql("update imported_entries set text = null, salt = null where id = 'c'");
      expect(await problems(database)).toContain("2 imported entries are erased, but the record says 1.");
    });
  });
}
