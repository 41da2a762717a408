import { Kysely, PostgresDialect, sql } from "kysely";
import { Migrator } from "kysely/migration";
import type { Pool } from "pg";
import { AtlasError } from "../../domain/errors.ts";
import type { Database } from "../database.ts";
import { migrationProvider } from "../migrations/migrations.ts";
import { lockKey, MIGRATION_LOCK } from "./locks.ts";
import type { Session } from "./session.ts";

export function kyselyOn(pool: Pool): Kysely<Database> {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

/**
 * Brings the schema to this version in one transaction; of several gateways that start at once, one does it.
 *
 * @throws AtlasError `store.failed` when a migration fails or the database was written by a newer version.
 */
export async function migrate(session: Session, schema: string, kysely: Kysely<Database>): Promise<void> {
  const key = lockKey(schema, MIGRATION_LOCK);
  await session.exec(`select pg_advisory_lock(${key})`);
  try {
    const migrator = new Migrator({
      db: kysely,
      provider: migrationProvider("postgres"),
      migrationTableSchema: schema,
    });
    const { error } = await migrator.migrateToLatest();
    if (error === undefined) return await compareTextByBytes(kysely);
    throw new AtlasError(
      "store.failed",
      "The database's schema could not be brought to this version. If a newer version has written it, run that version; if the user may not create tables in it, make it the database's owner.",
      { cause: error },
    );
  } finally {
    await session.exec(`select pg_advisory_unlock(${key})`);
  }
}

/**
 * Text is ids, hashes, and texts that are never sorted for people: it is compared byte by byte whatever the database's locale is, so
 * that lists have one order on every database and an update of the operating system's locales spoils no index. Columns of
 * every migration, whoever wrote it; a column that is like that already costs nothing.
 */
async function compareTextByBytes(db: Kysely<Database>): Promise<void> {
  await sql`
    do $$
    declare found record;
    begin
      for found in
        select table_name, string_agg(format('alter column %I type text collate "C"', column_name), ', ') as changes
        from information_schema.columns
        where table_schema = current_schema() and data_type = 'text' and collation_name is distinct from 'C'
          and table_name in (select table_name from information_schema.tables where table_type = 'BASE TABLE')
          and table_name not like 'kysely%'
        group by table_name
      loop
        execute format('alter table %I %s', found.table_name, found.changes);
      end loop;
    end $$`.execute(db);
}
