import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import type { SqlDialect } from "./0001-initial.ts";

/** What Postgres needs so that the same statements mean the same; SQLite has it already, and its files stay as they are. */
export function postgresMigration(dialect: SqlDialect): Migration {
  return {
    async up(db: Kysely<unknown>) {
      if (dialect !== "postgres") return;
      // Fencing tokens: several gateways take one each without waiting for each other.
      await sql`create sequence fencing_tokens as bigint`.execute(db);
    },
  };
}
