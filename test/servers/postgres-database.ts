import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

/** A database of a test's own. */
export interface PostgresDatabase {
  readonly url: string;
  /** Runs a statement beside everything else. */
  readonly sql: (text: string) => Promise<readonly Record<string, unknown>[]>;
  /** Deletes every row and starts every counter anew; the schema stays. */
  readonly empty: () => Promise<void>;
  readonly drop: () => Promise<void>;
}

/** Makes a fresh database on the server of this run of the tests. */
export async function createPostgresDatabase(): Promise<PostgresDatabase> {
  const answer = await fetch(inject("postgresStarter"));
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return createDatabaseOn(text);
}

/** @param serverUrl of a database whose user may create others */
export async function createDatabaseOn(serverUrl: string): Promise<PostgresDatabase> {
  const name = `atlas_test_${randomBytes(8).toString("hex")}`;
  await query(serverUrl, `create database ${name} encoding 'UTF8' template template0`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    sql: (statement) => query(url.href, statement),
    empty: async () => void (await query(url.href, EMPTY)),
    drop: async () => void (await query(serverUrl, `drop database ${name} with (force)`)),
  };
}

const EMPTY = `
  do $$
  begin
    if to_regclass('cases') is not null then
      execute (select 'truncate ' || string_agg(quote_ident(tablename), ', ') || ' restart identity'
        from pg_tables where schemaname = 'public' and tablename not like 'kysely%');
    end if;
    perform setval(sequencename::regclass, 1, false) from pg_sequences where schemaname = 'public';
  end $$`;

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({
    connectionString: url,
    types: {
      getTypeParser: (...[oid, format]: Parameters<typeof pg.types.getTypeParser>) =>
        oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
    },
  });
  await client.connect();
  try {
    const result = await client.query<Record<string, unknown>>(text);
    return result.rows;
  } finally {
    await client.end();
  }
}
