import { statSync } from "node:fs";
import { readFigures } from "../figures.ts";
import {
  appliedMigrations,
  compareMigrations,
  type Inspection,
  type InspectionParams,
  inspectRows,
} from "../inspection.ts";
import { openForReading, prepare } from "./connection.ts";
import { kyselyOn } from "./kysely.ts";
import { createRunSteps } from "./run-steps.ts";

/** What a look at a SQLite file finds. */
export interface SqliteInspection extends Inspection {
  readonly bytes: number;
  /** Size of the write-ahead log; 0 when there is none. */
  readonly walBytes: number;
  /** What SQLite's own check found; empty when nothing. */
  readonly damage: readonly string[];
}

/**
 * Reads what `atlas doctor` judges; works beside a running gateway.
 *
 * @throws AtlasError `store.failed` when the file is no database that can be read.
 */
export async function inspectDatabase(
  params: InspectionParams & { readonly path: string },
): Promise<SqliteInspection> {
  const db = openForReading(params.path);
  try {
    const run = createRunSteps(db);
    return {
      ...run(inspectRows(params)),
      ...(await compareMigrations(run(appliedMigrations()), "sqlite")),
      figures: await readFigures(kyselyOn(db)),
      bytes: statSync(params.path).size,
      walBytes: statSync(`${params.path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      damage: prepare<{ quick_check: string }>(db, "pragma quick_check(20)")
        .all()
        .map((row) => row.quick_check)
        .filter((line) => line !== "ok"),
    };
  } finally {
    db.close();
  }
}
