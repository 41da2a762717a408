import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** What an admin said of a tool's definition beside accepting it, the name agents know each tool by, and why a tool is held. */
export const toolAcceptance: Migration = {
  async up(db: Kysely<unknown>) {
    // Null until the tool is listed again.
    await db.schema.alterTable("tools").addColumn("exposed_name", "text").execute();
    await db.schema.alterTable("tools").addColumn("held_reason", "text").execute();
    await db.schema.alterTable("tools").addColumn("held_about", "text").execute();
    await db.schema
      .createTable("tool_acceptances")
      .addColumn("upstream", "text", (c) => c.notNull())
      .addColumn("name", "text", (c) => c.notNull())
      .addColumn("pin", "text", (c) => c.notNull())
      .addColumn("revision", "bigint", (c) => c.notNull())
      .addColumn("safe_to_repeat", "bigint")
      .addColumn("class", "text", (c) => c.notNull())
      .addColumn("reversible", "bigint", (c) => c.notNull())
      .addColumn("data", "text", (c) => c.notNull())
      .addColumn("accepted_by", "text")
      .addColumn("accepted_at_ms", "bigint", (c) => c.notNull())
      .addPrimaryKeyConstraint("tool_acceptances_pk", ["upstream", "name", "pin"])
      .execute();
  },
};
