import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Passwords of people, and the browsers they are signed in with. */
export const accountsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("passwords")
      .addColumn("person_id", "text", (c) => c.primaryKey().notNull().references("people.id"))
      .addColumn("hash", "text", (c) => c.notNull())
      .addColumn("set_at_ms", "bigint", (c) => c.notNull())
      .execute();
    await db.schema
      .createTable("sessions")
      .addColumn("sha256", "text", (c) => c.primaryKey().notNull())
      .addColumn("person_id", "text", (c) => c.notNull().references("people.id"))
      .addColumn("opened_at_ms", "bigint", (c) => c.notNull())
      .addColumn("used_at_ms", "bigint", (c) => c.notNull())
      .execute();
    await db.schema.createIndex("sessions_by_person").on("sessions").column("person_id").execute();
  },
};
