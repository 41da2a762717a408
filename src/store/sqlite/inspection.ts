import { statSync } from "node:fs";
import type { CaseState } from "../../domain/case.ts";
import type { EngagedKillSwitch, Figures } from "../../governance/ports.ts";
import type { StoredEvent } from "../../ledger/chain.ts";
import type { SignedHead } from "../../ledger/head.ts";
import type { LedgerHeadRow } from "../database.ts";
import { readFigures } from "../figures.ts";
import { rowToHead } from "../ledger-codec.ts";
import { migrationProvider } from "../migrations/migrations.ts";
import { openForReading, prepare } from "./connection.ts";
import { kyselyOn } from "./kysely.ts";

/** What a look at a database finds, without changing it. */
export interface Inspection {
  readonly bytes: number;
  /** Size of the write-ahead log; 0 when there is none. */
  readonly walBytes: number;
  /** What SQLite's own check found; empty when nothing. */
  readonly damage: readonly string[];
  /** Migrations of this version that the next start will carry out. */
  readonly pendingMigrations: readonly string[];
  /** Migrations that this version does not know: a newer one has written the database. */
  readonly unknownMigrations: readonly string[];
  readonly figures: Figures;
  readonly killSwitches: readonly Pick<EngagedKillSwitch, "scope" | "target" | "sinceMs">[];
  /** Open cases that could not reach their upstream this often. */
  readonly retried: readonly { readonly ref: string; readonly state: CaseState; readonly attempts: number }[];
  /** Earliest time at which something should have happened; null when nothing is due. */
  readonly dueAtMs: number | null;
  readonly newestEvents: readonly StoredEvent[];
  readonly heads: readonly SignedHead[];
  /** Id of the key that the newest chain was begun with; null in an empty ledger. */
  readonly newestKeyId: string | null;
}

export interface InspectParams {
  readonly path: string;
  /** How many of the newest events. */
  readonly events: number;
  /** Cases with at least this many failed attempts. */
  readonly attempts: number;
}

/**
 * Reads what `atlas doctor` judges; works beside a running gateway.
 *
 * @throws AtlasError `store.failed` when the file is no database that can be read.
 */
export async function inspectDatabase(params: InspectParams): Promise<Inspection> {
  const db = openForReading(params.path);
  try {
    const rows = <Row>(sql: string, parameters = {}) => prepare<Row>(db, sql).all(parameters);
    const applied = rows<{ name: string }>("select name from kysely_migration").map(({ name }) => name);
    const known = Object.keys(await migrationProvider("sqlite").getMigrations());
    const newest = `select writer, sequence, ref, hash, bytes from ledger_events
      where id > (select coalesce(max(id), 0) - :events from ledger_events) order by id`;
    return {
      bytes: statSync(params.path).size,
      walBytes: statSync(`${params.path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      damage: rows<{ quick_check: string }>("pragma quick_check(20)")
        .map((row) => row.quick_check)
        .filter((line) => line !== "ok"),
      pendingMigrations: known.filter((name) => !applied.includes(name)),
      unknownMigrations: applied.filter((name) => !known.includes(name)),
      figures: await readFigures(kyselyOn(db)),
      killSwitches: rows(
        "select scope, target, engaged_at_ms as sinceMs from kill_switches order by scope, target",
      ),
      retried: rows(
        `select ref, state, attempts from cases
         where finished_at_ms is null and attempts >= :attempts order by attempts desc limit 20`,
        { attempts: params.attempts },
      ),
      dueAtMs:
        rows<{ due: number | null }>("select min(due_at_ms) as due from cases where due_at_ms is not null")[0]
          ?.due ?? null,
      newestEvents: rows<StoredEvent>(newest, { events: params.events }),
      heads: rows<LedgerHeadRow>("select * from ledger_heads").map(rowToHead),
      newestKeyId:
        rows<{ key_id: string }>("select key_id from ledger_writers order by started_at_ms desc limit 1")[0]
          ?.key_id ?? null,
    };
  } finally {
    db.close();
  }
}
