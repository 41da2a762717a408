import { type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from "kysely";
import { type Case, type CaseState, isTerminal } from "../domain/case.ts";
import { type CaseOrder, NO_DEADLINE, NO_SCORE } from "../domain/case-order.ts";
import type { CaseFilter } from "../governance/ports.ts";
import { rowToCase } from "./case-codec.ts";
import type { CaseRow, Database } from "./database.ts";

const NONE: Readonly<Record<CaseState, number>> = {
  ASSESSING: 0,
  AWAITING_REVIEW: 0,
  AUTHORIZED: 0,
  EXECUTING: 0,
  UNKNOWN: 0,
  SUCCEEDED: 0,
  FAILED: 0,
  DENIED: 0,
  REJECTED: 0,
  EXPIRED: 0,
  CANCELLED: 0,
};

/** What each order goes by; the keys are those of the indexes of migration 0003, to the letter. */
const ORDERS: Readonly<Record<CaseOrder, { key: RawBuilder<number>; direction: "asc" | "desc" }>> = {
  newest: { key: sql.ref<number>("opened_at_ms"), direction: "desc" },
  deadline: { key: sql<number>`coalesce(review_by_ms, ${sql.lit(NO_DEADLINE)})`, direction: "asc" },
  risk: { key: sql<number>`coalesce(risk_score, ${sql.lit(NO_SCORE)})`, direction: "desc" },
};

type Query = SelectQueryBuilder<Database, "cases", CaseRow>;

export async function listCases(
  db: Kysely<Database>,
  filter: CaseFilter,
  nowMs: number,
): Promise<readonly Case[]> {
  const rows = await casesQuery(db, filter, nowMs).execute();
  return rows.map(rowToCase);
}

/** The query of a list, for a test to look at how it is carried out. */
export function casesQuery(db: Kysely<Database>, filter: CaseFilter, nowMs: number): Query {
  const { key, direction } = ORDERS[filter.order ?? "newest"];
  let query = narrowed(db.selectFrom("cases").selectAll(), filter, nowMs);
  if (filter.after !== undefined) {
    const compare = sql.raw(direction === "asc" ? ">" : "<");
    query = query.where(sql<boolean>`(${key}, ref) ${compare} (${filter.after.key}, ${filter.after.ref})`);
  }
  return query.orderBy(key, direction).orderBy("ref", direction).limit(filter.limit);
}

function narrowed(all: Query, filter: CaseFilter, nowMs: number): Query {
  let query = all;
  const { states, minScore, openedAfterMs, openedBeforeMs, takenBy, refPrefix } = filter;
  if (states?.length === 0) query = query.where(sql<boolean>`1 = 0`);
  else if (states !== undefined) {
    // What has ended is many times what has not; this lets the indexes of the latter be used.
    const isQueue = states.every((state) => !isTerminal(state));
    if (isQueue) query = query.where("finished_at_ms", "is", null);
    const hasOwnIndex = isQueue && (filter.order ?? "newest") !== "newest";
    // As an expression, so that a planner without statistics reads the queue in its order and does not sort it.
    query = query.where(hasOwnIndex ? sql<CaseState>`coalesce(state, '')` : "state", "in", states);
  }
  for (const [column, value] of [
    ["agent_id", filter.agentId],
    ["upstream", filter.upstream],
    ["tool", filter.tool],
    ["rule_id", filter.ruleId],
    ["reason_id", filter.reasonId],
  ] as const) {
    if (value !== undefined) query = query.where(column, "=", value);
  }
  if (minScore !== undefined) query = query.where("risk_score", ">=", minScore);
  if (openedAfterMs !== undefined) query = query.where("opened_at_ms", ">", openedAfterMs);
  if (openedBeforeMs !== undefined) query = query.where("opened_at_ms", "<", openedBeforeMs);
  if (takenBy !== undefined)
    query = query.where("taken_by", "=", takenBy).where("taken_until_ms", ">", nowMs);
  if (filter.search !== undefined) query = query.where(contains(filter.search));
  // A range and no `like`: references are lower-case letters and digits, and `~` comes after all of them.
  if (refPrefix !== undefined)
    query = query.where(sql<boolean>`ref >= ${refPrefix} and ref < ${`${refPrefix}~`}`);
  if (filter.unreported === true) {
    query = query.where("finished_at_ms", "is not", null).where("reported_at_ms", "is", null);
  }
  if (filter.reviewed === true) query = query.where("review_by_ms", "is not", null);
  if (filter.observed === true) query = query.where("observed_reason_id", "is not", null);
  return query;
}

/** `lower` on both sides, because the databases differ in what `like` takes for the same letter. */
function contains(text: string): RawBuilder<boolean> {
  const pattern = `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
  const names = ["agent_id", "upstream", "tool"].map(
    (name) => sql<boolean>`lower(${sql.ref(name)}) like lower(${pattern}) escape '\\'`,
  );
  return sql<boolean>`(${sql.join(names, sql` or `)})`;
}

/** @param states only these are counted; the others are given as 0 */
export async function countCases(
  db: Kysely<Database>,
  states: readonly CaseState[] | undefined,
): Promise<Readonly<Record<CaseState, number>>> {
  let query = db
    .selectFrom("cases")
    .select((eb) => ["state", eb.fn.countAll<number | string>().as("count")])
    .groupBy("state");
  if (states !== undefined) query = query.where("state", "in", states);
  const rows = await query.execute();
  const counts = { ...NONE };
  for (const { state, count } of rows) counts[state] = Number(count);
  return counts;
}
