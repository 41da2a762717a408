import { type ColumnDefinitionBuilder, type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export type SqlDialect = "sqlite" | "postgres";

type Schema = Kysely<unknown>;

/** The first schema. Its text never changes once published: a later change is a later migration. */
export function initialMigration(dialect: SqlDialect): Migration {
  return {
    async up(db: Schema) {
      await createPrincipals(db);
      await createGuards(db);
      await createCases(db);
      await createLedger(db, dialect);
    },
  };
}

const required = (column: ColumnDefinitionBuilder) => column.notNull();
const counter = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0);

async function createPrincipals(db: Schema): Promise<void> {
  await db.schema
    .createTable("people")
    .addColumn("id", "text", (c) => c.primaryKey().notNull())
    .addColumn("roles", "text", required)
    .addColumn("added_at_ms", "bigint", required)
    .addColumn("revoked_at_ms", "bigint")
    .execute();
  await db.schema
    .createTable("agents")
    .addColumn("id", "text", (c) => c.primaryKey().notNull())
    .addColumn("owner_id", "text", (c) => c.notNull().references("people.id"))
    .addColumn("added_at_ms", "bigint", required)
    .addColumn("revoked_at_ms", "bigint")
    .execute();
  await db.schema
    .createTable("credentials")
    .addColumn("sha256", "text", (c) => c.primaryKey().notNull())
    .addColumn("principal_kind", "text", required)
    .addColumn("principal_id", "text", required)
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("revoked_at_ms", "bigint")
    .execute();
  await db.schema
    .createIndex("credentials_by_principal")
    .on("credentials")
    .columns(["principal_kind", "principal_id"])
    .execute();
}

async function createGuards(db: Schema): Promise<void> {
  await db.schema
    .createTable("upstreams")
    .addColumn("name", "text", (c) => c.primaryKey().notNull())
    .addColumn("fingerprint", "text", required)
    .addColumn("updated_at_ms", "bigint", required)
    .execute();
  await db.schema
    .createTable("tools")
    .addColumn("upstream", "text", required)
    .addColumn("name", "text", required)
    .addColumn("current_pin", "text")
    .addColumn("accepted_pin", "text")
    .addColumn("first_seen_at_ms", "bigint", required)
    .addColumn("changed_at_ms", "bigint", required)
    .addPrimaryKeyConstraint("tools_pk", ["upstream", "name"])
    .execute();
  // Cases name a definition by its pin; it is kept once, however many calls are made on it.
  await db.schema
    .createTable("definitions")
    .addColumn("pin", "text", (c) => c.primaryKey().notNull())
    .addColumn("definition", "text", required)
    .execute();
  await db.schema
    .createTable("kill_switches")
    .addColumn("scope", "text", required)
    .addColumn("target", "text", required)
    .addColumn("engaged_by", "text")
    .addColumn("engaged_at_ms", "bigint", required)
    .addColumn("reason", "text", required)
    .addColumn("salt", "text", required)
    .addPrimaryKeyConstraint("kill_switches_pk", ["scope", "target"])
    .execute();
  await db.schema
    .createTable("settings")
    .addColumn("key", "text", (c) => c.primaryKey().notNull())
    .addColumn("value", "text", required)
    .execute();
}

async function createCases(db: Schema): Promise<void> {
  await createCaseTable(db);
  await db.schema
    .createTable("payloads")
    .addColumn("ref", "text", (c) => c.notNull().references("cases.ref"))
    .addColumn("kind", "text", required)
    .addColumn("salt", "text", required)
    .addColumn("text", "text", required)
    .addPrimaryKeyConstraint("payloads_pk", ["ref", "kind"])
    .execute();
  await db.schema
    .createTable("decisions")
    .addColumn("ref", "text", (c) => c.notNull().references("cases.ref"))
    .addColumn("revision", "bigint", required)
    .addColumn("person_id", "text", (c) => c.notNull().references("people.id"))
    .addColumn("decision", "text", required)
    .addColumn("digest_shown", "text", required)
    .addColumn("digest_authorized", "text", required)
    .addColumn("decided_at_ms", "bigint", required)
    .addPrimaryKeyConstraint("decisions_pk", ["ref", "revision"])
    .execute();
  await db.schema
    .createTable("outbox")
    .addColumn("id", "text", (c) => c.primaryKey().notNull())
    .addColumn("topic", "text", required)
    .addColumn("ref", "text", (c) => c.notNull().references("cases.ref"))
    .addColumn("created_at_ms", "bigint", required)
    .addColumn("attempts", "integer", counter)
    .addColumn("due_at_ms", "bigint")
    .addColumn("last_error", "text")
    .execute();
  await db.schema
    .createIndex("outbox_due")
    .on("outbox")
    .columns(["due_at_ms", "created_at_ms"])
    .where(sql.ref("due_at_ms"), "is not", null)
    .execute();
}

async function createCaseTable(db: Schema): Promise<void> {
  await db.schema
    .createTable("cases")
    .addColumn("ref", "text", (c) => c.primaryKey().notNull())
    .addColumn("state", "text", required)
    .addColumn("revision", "bigint", required)
    .addColumn("agent_id", "text", (c) => c.notNull().references("agents.id"))
    .addColumn("upstream", "text", required)
    .addColumn("upstream_fingerprint", "text", required)
    .addColumn("tool", "text", required)
    .addColumn("exposed_name", "text", required)
    .addColumn("tool_pin", "text", required)
    .addColumn("safe_to_repeat", "integer", required)
    .addColumn("nonce", "text", required)
    .addColumn("arguments_sha256", "text", required)
    .addColumn("meta_sha256", "text")
    .addColumn("join_key", "text", required)
    .addColumn("action_digest", "text", required)
    .addColumn("verdict", "text", required)
    .addColumn("rule_id", "text")
    .addColumn("policy_version", "text", required)
    .addColumn("risk_score", "integer")
    .addColumn("classification", "text")
    .addColumn("assessor", "text")
    .addColumn("authorization", "text")
    .addColumn("authorized_digest", "text")
    .addColumn("reason_id", "text", required)
    .addColumn("opened_at_ms", "bigint", required)
    .addColumn("updated_at_ms", "bigint", required)
    .addColumn("review_by_ms", "bigint")
    .addColumn("run_by_ms", "bigint")
    .addColumn("due_at_ms", "bigint")
    .addColumn("decided_by", "text")
    .addColumn("decided_at_ms", "bigint")
    .addColumn("fencing_token", "bigint")
    .addColumn("claimed_by", "text")
    .addColumn("claimed_at_ms", "bigint")
    .addColumn("attempts", "integer", counter)
    .addColumn("finished_at_ms", "bigint")
    .addColumn("identical_to", "text")
    .addColumn("observed_reason_id", "text")
    .addColumn("reported_at_ms", "bigint")
    .execute();
  await createCaseIndexes(db);
}

/** A case that has not ended has no `finished_at_ms`; the partial indexes stay as small as the work that waits. */
async function createCaseIndexes(db: Schema): Promise<void> {
  const due = sql.ref("due_at_ms");
  const finished = sql.ref("finished_at_ms");
  const reported = sql.ref("reported_at_ms");
  await db.schema
    .createIndex("cases_due")
    .on("cases")
    .column("due_at_ms")
    .where(due, "is not", null)
    .execute();
  await db.schema
    .createIndex("cases_executing")
    .on("cases")
    .column("claimed_by")
    .where(sql.ref("state"), "=", sql.lit("EXECUTING"))
    .execute();
  await db.schema
    .createIndex("cases_open_by_call")
    .on("cases")
    .column("join_key")
    .where(finished, "is", null)
    .execute();
  await db.schema
    .createIndex("cases_ended_by_call")
    .on("cases")
    .columns(["join_key", "finished_at_ms"])
    .where(finished, "is not", null)
    .execute();
  await db.schema.createIndex("cases_by_state").on("cases").columns(["state", "opened_at_ms"]).execute();
  await db.schema.createIndex("cases_by_time").on("cases").column("opened_at_ms").execute();
  await db.schema
    .createIndex("cases_unreported")
    .on("cases")
    .columns(["agent_id", "opened_at_ms"])
    .where(finished, "is not", null)
    .where(reported, "is", null)
    .execute();
}

async function createLedger(db: Schema, dialect: SqlDialect): Promise<void> {
  await db.schema
    .createTable("ledger_writers")
    .addColumn("writer", "text", (c) => c.primaryKey().notNull())
    .addColumn("public_key", "text", required)
    .addColumn("key_id", "text", required)
    .addColumn("started_at_ms", "bigint", required)
    .addColumn("joined_sequence", "bigint", counter)
    .execute();
  const events = db.schema.createTable("ledger_events");
  const numbered =
    dialect === "sqlite"
      ? events.addColumn("id", "integer", (c) => c.primaryKey())
      : events.addColumn("id", "bigint", (c) => c.generatedAlwaysAsIdentity().primaryKey());
  await numbered
    .addColumn("writer", "text", required)
    .addColumn("sequence", "bigint", required)
    .addColumn("ref", "text")
    .addColumn("hash", "text", required)
    .addColumn("bytes", "text", required)
    .addUniqueConstraint("ledger_events_position", ["writer", "sequence"])
    .execute();
  await db.schema
    .createIndex("ledger_events_by_case")
    .on("ledger_events")
    .column("ref")
    .where(sql.ref("ref"), "is not", null)
    .execute();
  await db.schema
    .createTable("ledger_heads")
    .addColumn("writer", "text", (c) => c.primaryKey().notNull().references("ledger_writers.writer"))
    .addColumn("sequence", "bigint", required)
    .addColumn("hash", "text", required)
    .addColumn("signed_at_ms", "bigint", required)
    .addColumn("signature", "text", required)
    .addColumn("key_id", "text", required)
    .execute();
}
