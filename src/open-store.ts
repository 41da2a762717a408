import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { DatabaseConfig } from "./config/config.ts";
import { findDatabase } from "./config/database.ts";
import type { Clock } from "./domain/clock.ts";
import { AtlasError } from "./domain/errors.ts";
import type { Store } from "./governance/ports.ts";
import type { OpenStoreParams } from "./store/commands/store.ts";
import { openPostgresStore } from "./store/postgres/postgres-store.ts";
import type { Hold } from "./store/postgres/writing-session.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";

export const DATABASE_FILE = "atlas.db";
/** In the data folder of a gateway whose database is elsewhere: so that no command takes an old file for its database. */
const ELSEWHERE_FILE = "database.json";
const elsewhereSchema = z.object({ kind: z.literal("postgres") });

export interface OpenDatabaseParams extends OpenStoreParams {
  readonly dataDir: string;
  readonly database: DatabaseConfig;
  readonly clock: Clock;
  readonly hold: Exclude<Hold, "unlocked">;
}

/**
 * Opens the database that the configuration names. What it is, but not where, is noted in the data folder.
 *
 * @throws AtlasError `store.failed`, `data.locked` or `ledger.broken` as the stores do
 */
export async function openStore(params: OpenDatabaseParams): Promise<Store> {
  const { database, dataDir, hold, clock, ...rest } = params;
  const elsewhere = path.join(dataDir, ELSEWHERE_FILE);
  if (database.kind === "sqlite") {
    const store = await openSqliteStore({
      ...rest,
      clock,
      path: path.join(dataDir, DATABASE_FILE),
      besideGateway: hold === "beside",
    });
    rmSync(elsewhere, { force: true });
    return store;
  }
  // The database's clock decides, not this machine's.
  const store = await openPostgresStore({ ...rest, url: database.url, hold });
  writeFileSync(elsewhere, `${JSON.stringify({ kind: "postgres" })}\n`, { mode: 0o600 });
  return store;
}

/**
 * The database of the gateway that uses this data folder, for a command beside it.
 *
 * @param configFile of the gateway; one that is not there names no database
 * @throws AtlasError `config.invalid` when there is none, or nobody says where it is
 */
export function databaseOf(dataDir: string, configFile: string): DatabaseConfig {
  if (isElsewhere(dataDir)) {
    const found = findDatabase({ file: fileAt(configFile), env: process.env });
    if (found !== null) return found;
    throw new AtlasError(
      "config.invalid",
      `The gateway of ${dataDir} keeps its data in Postgres. Say where: set ATLAS_DATABASE_URL, or run this where its configuration file is and what \`database.url\` refers to is set.`,
    );
  }
  if (existsSync(path.join(dataDir, DATABASE_FILE))) return { kind: "sqlite" };
  throw new AtlasError(
    "config.invalid",
    `There is no database in ${dataDir}. Start the gateway once, or name its folder with --data.`,
  );
}

/** Whether the gateway of this data folder keeps its data in another database than the folder's own. */
export function isElsewhere(dataDir: string): boolean {
  try {
    const note: unknown = JSON.parse(readFileSync(path.join(dataDir, ELSEWHERE_FILE), "utf8"));
    return elsewhereSchema.safeParse(note).success;
  } catch {
    return false;
  }
}

/** A configuration file as {@link findDatabase} takes it; null when it is not there. */
export function fileAt(file: string) {
  return existsSync(file) ? { text: readFileSync(file, "utf8"), folder: path.dirname(file) } : null;
}
