import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What an engine that is another process has to be told of each case, until it has shown that it heard it. */
export const engineRunsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("engine_runs")
      .addColumn("ref", "text", (c) => c.primaryKey().notNull().references("cases.ref"))
      .addColumn("generation", "integer", (c) => c.notNull())
      .addColumn("begun", "integer", (c) => c.notNull())
      .addColumn("tellings", "integer", (c) => c.notNull())
      .addColumn("revision", "bigint", (c) => c.notNull())
      .addColumn("due_at_ms", "bigint")
      .execute();
    await db.schema
      .createIndex("engine_runs_due")
      .on("engine_runs")
      .column("due_at_ms")
      .where(sql.ref("due_at_ms"), "is not", null)
      .execute();
  },
};
