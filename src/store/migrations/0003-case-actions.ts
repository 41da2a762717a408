import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Who works on a case, the time to undo an approval, the texts behind administrative reasons, and the indexes of
 * the queue, of one tool's history and of the search for rules to suggest.
 */
export function caseActionsMigration(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("cases").addColumn("taken_by", "text").execute();
      await db.schema.alterTable("cases").addColumn("taken_until_ms", "bigint").execute();
      await db.schema.alterTable("cases").addColumn("run_from_ms", "bigint").execute();
      await createQueueIndexes(db);
      await db.schema
        .createIndex("cases_by_tool")
        .on("cases")
        .columns(["agent_id", "upstream", "tool", "opened_at_ms"])
        .execute();
      await db.schema
        .createIndex("cases_decided_by_call")
        .on("cases")
        .columns(["agent_id", "upstream", "tool", "tool_pin", "decided_at_ms"])
        .where(sql.ref("decided_by"), "is not", null)
        .execute();
      // Whoever erases a text leaves the commitment, which then cannot be opened any more.
      await db.schema
        .createTable("admin_reasons")
        .addColumn("commitment", "text", (c) => c.primaryKey().notNull())
        .addColumn("salt", "text", (c) => c.notNull())
        .addColumn("text", "text", (c) => c.notNull())
        .execute();
    },
  };
}

/**
 * What has not ended is few, whatever has been decided: these indexes stay as small as the work that waits. A case without
 * a deadline (2^53 - 1 is later than any) or without a score (-1) comes last.
 */
async function createQueueIndexes(db: Kysely<unknown>): Promise<void> {
  const finished = sql.ref("finished_at_ms");
  await db.schema
    .createIndex("cases_open_by_deadline")
    .on("cases")
    .expression(sql`coalesce(review_by_ms, 9007199254740991), ref`)
    .where(finished, "is", null)
    .execute();
  await db.schema
    .createIndex("cases_open_by_risk")
    .on("cases")
    .expression(sql`coalesce(risk_score, -1), ref`)
    .where(finished, "is", null)
    .execute();
  await db.schema
    .createIndex("cases_open_by_time")
    .on("cases")
    .columns(["opened_at_ms", "ref"])
    .where(finished, "is", null)
    .execute();
}
