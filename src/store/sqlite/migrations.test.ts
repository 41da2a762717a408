import { createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Migrator } from "kysely/migration";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../domain/digest.ts";
import { verifyLedger } from "../../ledger/verify.ts";
import { type Gateway, openGateway, setUp, testSigningKey } from "../fixture.testsuite.ts";
import { migrationProvider } from "../migrations/migrations.ts";
import { openForWriting } from "./connection.ts";
import { kyselyOn } from "./kysely.ts";
import { openLedgerReader } from "./ledger-reader.ts";
import { openSqliteStore } from "./sqlite-store.ts";

/**
 * What the schema is after each migration that is out in the world. Such a migration is not changed any more: databases that
 * have it would stay without the change. A release adds its lines.
 */
const RELEASED: Readonly<Record<string, string>> = {
  "0001-initial": "f53e38ea479ff957",
  "0002-accounts": "633018084e7ac205",
  "0003-case-actions": "081f4d9e0415b001",
  "0004-tool-acceptance": "2961a6b14a1af1c9",
  "0005-retention": "a18680f2c265d977",
  "0006-postgres": "a18680f2c265d977",
};

const LEVELS = Object.keys(await migrationProvider("sqlite").getMigrations());

let folder: string;
/** A database of the newest schema with cases in every kind of state. */
let full: string;
let refs: readonly string[];

const databaseAt = (path: string) => ({
  open: (params: Parameters<typeof openSqliteStore>[0] | object) =>
    openSqliteStore({ ...(params as Parameters<typeof openSqliteStore>[0]), path }),
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "atlas-migrations-"));
  full = join(folder, "full.db");
  const gateway = await openGateway(databaseAt(full), { name: "full" });
  await setUp(gateway.store);
  refs = await fill(gateway);
  await gateway.store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** One that waits, one that was approved, one that runs, one that ran. */
async function fill(gateway: Gateway): Promise<readonly string[]> {
  const { store } = gateway;
  const waiting = (await gateway.opened()).case;
  const approved = await gateway.approved();
  const claims = [];
  for (let i = 0; i < 2; i++) {
    const claimed = await store.claim(gateway.claimParams(await gateway.approved()));
    if (claimed.kind !== "claimed") throw new Error(claimed.kind);
    claims.push(claimed.case);
  }
  const [ran, running] = claims;
  if (ran === undefined || running === undefined) throw new Error("nothing was claimed");
  await store.recordOutcome(gateway.outcome(ran));
  return [waiting, approved, ran, running].map(({ ref }) => ref);
}

/** A database as that version left it, with everything in it that its schema can hold. */
async function databaseOf(level: string): Promise<string> {
  const path = join(folder, `${level}.db`);
  const db = openForWriting(path);
  const migrator = new Migrator({
    db: kyselyOn(db),
    provider: migrationProvider("sqlite"),
    disableTransactions: true,
  });
  const { error } = await migrator.migrateTo(level);
  if (error !== undefined) throw error;
  db.close();
  const copy = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  copy.exec(`attach '${full}' as full`);
  const columns = (schema: string, table: string) =>
    copy
      .prepare(`select name from pragma_table_info('${table}', '${schema}')`)
      .all()
      .map((row) => String(row["name"]));
  for (const table of tablesOf(copy)) {
    const newer = new Set(columns("full", table));
    const shared = columns("main", table)
      .filter((name) => newer.has(name))
      .join(", ");
    if (shared !== "")
      copy.exec(`insert or replace into main.${table} (${shared}) select ${shared} from full.${table}`);
  }
  copy.close();
  return path;
}

function tablesOf(db: DatabaseSync): readonly string[] {
  return db
    .prepare(
      "select name from main.sqlite_master where type = 'table' and name not like 'kysely%' and name not like 'sqlite%' order by name",
    )
    .all()
    .map((row) => String(row["name"]));
}

async function schemaAt(level: string): Promise<string> {
  const db = new DatabaseSync(":memory:");
  const migrator = new Migrator({
    db: kyselyOn(db),
    provider: migrationProvider("sqlite"),
    disableTransactions: true,
  });
  await migrator.migrateTo(level);
  const rows = db
    .prepare("select sql from sqlite_master where sql is not null and name not like 'kysely%' order by name")
    .all();
  db.close();
  return sha256(JSON.stringify(rows)).slice(0, 16);
}

describe.each(LEVELS)("a database of the schema %s", (level) => {
  test("is brought to this one with all it holds, its ledger verifies, and its cases go on", async () => {
    const path = await databaseOf(level);
    const gateway = await openGateway(databaseAt(path), { name: `after ${level}` });
    const { store } = gateway;
    const states = await Promise.all(refs.map(async (ref) => (await store.getCase(ref as never))?.state));
    expect(states).toEqual(["AWAITING_REVIEW", "AUTHORIZED", "SUCCEEDED", "EXECUTING"]);
    const [waiting, approved, , running] = await Promise.all(refs.map((ref) => store.getCase(ref as never)));
    if (!waiting || !approved || !running) throw new Error("a case is gone");
    expect(await store.getPayload(waiting.ref, "arguments")).toMatch(/^\{"call":/);
    expect((await store.recordDecision(gateway.decision(waiting))).kind).toBe("recorded");
    expect((await store.claim(gateway.claimParams(approved))).kind).toBe("claimed");
    const lost = await store.recordLost({
      ref: running.ref,
      writer: gateway.writer,
      token: running.fencingToken ?? -1,
      claimantIsDead: true,
    });
    expect(lost).toMatchObject({ kind: "recorded", case: { state: "UNKNOWN" } });
    expect((await gateway.opened({ argumentsText: '{"after":"migration"}' })).case.state).toBe(
      "AWAITING_REVIEW",
    );
    await store.close();

    const reader = openLedgerReader(path);
    const report = verifyLedger({
      events: reader.events(),
      heads: reader.heads(),
      cases: reader.cases(),
      payloads: reader.payloads(),
      imports: reader.imports(),
      publicKey: createPublicKey(testSigningKey),
    });
    reader.close();
    expect(report.findings).toEqual([]);
  });
});

test.each(Object.entries(RELEASED))(
  "the schema after %s is the one that was released",
  async (level, schema) => {
    expect(await schemaAt(level)).toBe(schema);
  },
);
