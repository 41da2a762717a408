import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { Kysely, SqliteDialect } from "kysely";
import { Migrator } from "kysely/migration";
import { AtlasError } from "../../domain/errors.ts";
import type { Database } from "../database.ts";
import { migrationProvider } from "../migrations/migrations.ts";

/** Kysely over a connection that the store owns; each of its statements runs in one synchronous step, so it never sees a half-done commit. */
export function kyselyOn(db: DatabaseSync): Kysely<Database> {
  const database = {
    close: () => undefined,
    prepare(sql: string) {
      const statement = db.prepare(sql);
      const bind = (values: readonly unknown[]) => values as readonly SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (values: readonly unknown[]) => statement.all(...bind(values)),
        run: (values: readonly unknown[]) => statement.run(...bind(values)),
        iterate: (values: readonly unknown[]) => statement.iterate(...bind(values)),
      };
    },
  };
  return new Kysely<Database>({ dialect: new SqliteDialect({ database }) });
}

/**
 * Brings the schema to this version in one transaction, so that a process that dies here leaves the old schema.
 *
 * @throws AtlasError `store.failed` when a migration fails or the database was written by a newer version.
 */
export async function migrate(db: DatabaseSync, kysely: Kysely<Database>): Promise<void> {
  const migrator = new Migrator({
    db: kysely,
    provider: migrationProvider("sqlite"),
    disableTransactions: true,
  });
  db.exec("begin immediate");
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) {
    db.exec("commit");
    return;
  }
  db.exec("rollback");
  throw new AtlasError(
    "store.failed",
    "The database's schema could not be brought to this version. If a newer version has written it, run that version.",
    { cause: error },
  );
}
