import { createPublicKey } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { newWriterId } from "../../domain/ids.ts";
import { verifyLedger } from "../../ledger/verify.ts";
import type { TestDatabase } from "../fixture.testsuite.ts";
import {
  allowed,
  fakeClock,
  fakeRandom,
  type Gateway,
  openGateway,
  setUp,
  TOOL,
  testSigningKey,
} from "../fixture.testsuite.ts";
import { testStore } from "../store.testsuite.ts";
import { openLedgerReader } from "./ledger-reader.ts";
import { openSqliteStore } from "./sqlite-store.ts";

interface TestFile extends TestDatabase {
  readonly path: string;
}

function createFile(): TestFile {
  const folder = mkdtempSync(join(tmpdir(), "atlas-store-"));
  const path = join(folder, "atlas.db");
  return {
    path,
    open: (params) => openSqliteStore({ ...params, path }),
    sql(text) {
      const db = new DatabaseSync(path);
      try {
        return Promise.resolve(db.prepare(text).all());
      } finally {
        db.close();
      }
    },
    destroy() {
      rmSync(folder, { recursive: true });
      return Promise.resolve();
    },
  };
}

function copyOf(file: TestFile): TestFile {
  const copy = createFile();
  for (const suffix of ["", "-wal"]) copyFileSync(file.path + suffix, copy.path + suffix);
  return copy;
}

testStore({ create: () => Promise.resolve(createFile()) });

function findings(path: string) {
  const reader = openLedgerReader(path);
  try {
    return verifyLedger({
      events: reader.events(),
      heads: reader.heads(),
      cases: reader.cases(),
      payloads: reader.payloads(),
      publicKey: createPublicKey(testSigningKey),
    }).findings;
  } finally {
    reader.close();
  }
}

describe("SQLite store", () => {
  let file: TestFile;
  let gateway: Gateway;

  beforeEach(async () => {
    file = createFile();
    gateway = await openGateway(file);
    await setUp(gateway.store);
  });

  afterEach(async () => {
    vi.useRealTimers();
    await gateway.store.close();
    await file.destroy();
  });

  test.skipIf(process.platform === "win32")("its files are readable by the owner only", () => {
    for (const suffix of ["", "-wal", "-shm"]) {
      expect(existsSync(file.path + suffix)).toBe(true);
      expect(statSync(file.path + suffix).mode & 0o777, suffix).toBe(0o600);
    }
  });

  test("a COMMIT that fails acknowledges nothing of its group, and the chain goes on where it was", async () => {
    // A constraint that is only checked by COMMIT makes it fail for real, whenever this tool is called.
    const db = new DatabaseSync(file.path);
    db.exec(`
      create table poison (id text references people (id) deferrable initially deferred);
      create trigger poisoned after insert on cases when new.exposed_name = 'poison'
        begin insert into poison values ('nobody'); end`);
    db.close();
    const heard: unknown[] = [];
    gateway.store.onChange((change) => heard.push(change));
    const poison = gateway.openParams({ tool: { ...TOOL, exposedName: "poison" } });
    const group = [gateway.openParams({ ruling: allowed }), poison, gateway.openParams()];
    const results = await Promise.allSettled(group.map((params) => gateway.store.openCase(params)));
    for (const result of results)
      expect(result).toMatchObject({ status: "rejected", reason: { code: "store.failed" } });
    expect(await gateway.store.listCases({ limit: 10 })).toEqual([]);
    expect(await gateway.store.dueMessages(10)).toEqual([]);
    expect(heard).toEqual([]);

    expect((await gateway.opened({ ruling: allowed })).token).toBe(1);
    expect(findings(file.path)).toEqual([]);
  });

  test("after a crash the next start says where the chain broke off, and refuses one that lost what was signed", async () => {
    await gateway.store.close();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    gateway = await openGateway(file, { name: "crashing" });
    await gateway.opened();
    await vi.advanceTimersByTimeAsync(1000);
    await gateway.opened({ ruling: allowed });
    // What a kill leaves behind: the files as they are, with nothing closed.
    const intact = copyOf(file);
    const damaged = copyOf(file);
    const [head] = await file.sql(`select sequence from ledger_heads where writer = '${gateway.writer}'`);
    const signed = Number(head?.["sequence"]);
    expect(signed).toBeGreaterThan(1);

    const next = await openGateway(intact, { name: "next" });
    expect(findings(intact.path)).toEqual([]);
    const gap = await intact.sql("select bytes from ledger_events order by id desc limit 1");
    expect(JSON.parse(String(gap[0]?.["bytes"]))).toMatchObject({
      type: "ledger.gap",
      details: { writer: gateway.writer, sequence: signed + 3, signed_sequence: signed },
    });
    await next.store.close();

    await damaged.sql(
      `delete from ledger_events where writer = '${gateway.writer}' and sequence = ${signed}`,
    );
    await expect(openGateway(damaged, { name: "next" })).rejects.toMatchObject({ code: "ledger.broken" });
    for (const copy of [intact, damaged]) await copy.destroy();
  });

  test("a damaged or foreign file is not opened", async () => {
    const path = join(file.path, "..", "foreign.db");
    writeFileSync(path, "this is not a database, and longer than a header would have to be".repeat(20));
    const random = fakeRandom("foreign");
    const opening = openSqliteStore({
      path,
      writer: newWriterId(random),
      clock: fakeClock(),
      random,
      signingKey: testSigningKey,
    });
    await expect(opening).rejects.toMatchObject({ code: "store.failed" });
  });

  test("the head is signed once a second at most, and only when something was written", async () => {
    const heads = () => file.sql("select sequence from ledger_heads");
    await gateway.store.close();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    gateway = await openGateway(file, { name: "timed" });
    const own = async () => (await heads()).length;
    await gateway.opened();
    expect(await own()).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    await gateway.store.recordRefusal({
      agentId: gateway.openParams().agentId,
      reasonId: "x",
      toolSha256: testHash,
    });
    expect(await own()).toBe(2);
    expect(findings(file.path)).toEqual([]);
  });
});

const testHash = "0".repeat(64) as Parameters<Gateway["store"]["recordRefusal"]>[0]["toolSha256"];
