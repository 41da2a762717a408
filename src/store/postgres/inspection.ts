import { readFigures } from "../figures.ts";
import {
  appliedMigrations,
  compareMigrations,
  type Inspection,
  type InspectionParams,
  inspectRows,
} from "../inspection.ts";
import { loadDriver } from "./driver.ts";
import { readFitness } from "./fitness.ts";
import { kyselyOn } from "./migrate.ts";
import { openPool } from "./pool.ts";
import { createReads } from "./reads.ts";
import { openSession } from "./session.ts";

/** What a look at a Postgres database finds. */
export interface PostgresInspection {
  /** `Postgres 17.2`. */
  readonly server: string;
  readonly bytes: number;
  /** Why a gateway would not start on it; null when it would. */
  readonly unfit: string | null;
  /** What a crash of the server's machine could take; empty for nothing. */
  readonly durability: readonly string[];
  /** The database's clock less this machine's, give or take half of the question's time. */
  readonly clockAheadMs: number;
  readonly uncertaintyMs: number;
  /** null: no gateway has made its tables yet. */
  readonly tables: Inspection | null;
}

/**
 * Reads what `atlas doctor` judges; works beside running gateways.
 *
 * @throws AtlasError `store.failed` with a sentence that says why the database cannot be reached
 */
export async function inspectPostgres(
  params: InspectionParams & { readonly url: string },
): Promise<PostgresInspection> {
  const driver = await loadDriver();
  const named = { url: params.url, name: "atlas doctor" };
  const session = await openSession(driver, named);
  const pool = openPool(driver, named, 1);
  try {
    const fitness = await readFitness(session);
    const before = Date.now();
    const { rows } = await session.exec(
      `select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now,
         pg_database_size(current_database()) as bytes, current_setting('server_version') as version,
         current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
         to_regclass('kysely_migration') is not null as migrated`,
    );
    const [found] = rows as readonly Found[];
    if (found === undefined) throw new Error("a select without a condition gave no row");
    const uncertaintyMs = Math.ceil((Date.now() - before) / 2);
    const { reads, lists } = createReads(pool, kyselyOn(pool));
    const applied = found.migrated ? await reads(appliedMigrations()) : [];
    return {
      server: `Postgres ${found.version}`,
      bytes: found.bytes,
      unfit: fitness.problem,
      durability: (["fsync", "pages"] as const)
        .filter((setting) => found[setting] === "off")
        .map((setting) => (setting === "pages" ? "full_page_writes" : setting)),
      clockAheadMs: found.now - before - uncertaintyMs,
      uncertaintyMs,
      tables:
        applied.length === 0
          ? null
          : {
              ...(await reads(inspectRows(params))),
              ...(await compareMigrations(applied, "postgres")),
              figures: await lists(readFigures),
            },
    };
  } finally {
    await session.close();
    await pool.end();
  }
}

interface Found {
  readonly now: number;
  readonly bytes: number;
  readonly version: string;
  readonly fsync: string;
  readonly pages: string;
  readonly migrated: boolean;
}
