import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** When the texts of a case were erased, and what finds those whose time is over without reading the rest. */
export const retentionMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable("cases").addColumn("texts_erased_at_ms", "bigint").execute();
    await db.schema.alterTable("cases").addColumn("result_erased_at_ms", "bigint").execute();
    await db.schema
      .createIndex("cases_with_texts")
      .on("cases")
      .column("finished_at_ms")
      .where(sql.ref("finished_at_ms"), "is not", null)
      .where(sql.ref("texts_erased_at_ms"), "is", null)
      .execute();
    await db.schema
      .createIndex("payloads_results")
      .on("payloads")
      .column("ref")
      .where(sql.ref("kind"), "=", sql.lit("result"))
      .execute();
  },
};
