import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Entries of older audit logs. Salt and text can be erased; what is left knows the entry again, and nothing else of it. */
export const importsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("imported_entries")
      .addColumn("id", "text", (c) => c.primaryKey().notNull())
      .addColumn("at_ms", "bigint")
      .addColumn("imported_at_ms", "bigint", (c) => c.notNull())
      .addColumn("salt", "text")
      .addColumn("text", "text")
      .execute();
  },
};
