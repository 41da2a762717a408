import type { Kysely, RawBuilder } from "kysely";
import type { Case, CaseState } from "../domain/case.ts";
import type { CaseFilter } from "../governance/ports.ts";
import { rowToCase } from "./case-codec.ts";
import type { Database } from "./database.ts";

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

/**
 * @param tieBreak orders cases that were opened in the same millisecond: what the database has for the order of insertion.
 */
export async function listCases(
  db: Kysely<Database>,
  filter: CaseFilter,
  tieBreak: RawBuilder<unknown>,
): Promise<readonly Case[]> {
  let query = db.selectFrom("cases").selectAll();
  if (filter.states !== undefined) query = query.where("state", "in", filter.states);
  if (filter.agentId !== undefined) query = query.where("agent_id", "=", filter.agentId);
  if (filter.unreported === true) {
    query = query.where("finished_at_ms", "is not", null).where("reported_at_ms", "is", null);
  }
  if (filter.reviewed === true) query = query.where("review_by_ms", "is not", null);
  if (filter.observed === true) query = query.where("observed_reason_id", "is not", null);
  if (filter.order === "deadline") query = query.orderBy("review_by_ms", "asc");
  const rows = await query
    .orderBy("opened_at_ms", "desc")
    .orderBy(tieBreak, "desc")
    .limit(filter.limit)
    .execute();
  return rows.map(rowToCase);
}

export async function countCases(db: Kysely<Database>): Promise<Readonly<Record<CaseState, number>>> {
  const rows = await db
    .selectFrom("cases")
    .select((eb) => ["state", eb.fn.countAll<number | string>().as("count")])
    .groupBy("state")
    .execute();
  const counts = { ...NONE };
  for (const { state, count } of rows) counts[state] = Number(count);
  return counts;
}
