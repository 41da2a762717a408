import type { Kysely } from "kysely";
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

/** Newest first; cases opened in the same millisecond are in the order of their references. */
export async function listCases(db: Kysely<Database>, filter: CaseFilter): Promise<readonly Case[]> {
  let query = db.selectFrom("cases").selectAll();
  if (filter.states !== undefined) query = query.where("state", "in", filter.states);
  if (filter.agentId !== undefined) query = query.where("agent_id", "=", filter.agentId);
  if (filter.unreported === true) {
    query = query.where("finished_at_ms", "is not", null).where("reported_at_ms", "is", null);
  }
  const rows = await query
    .orderBy("opened_at_ms", "desc")
    .orderBy("ref", "desc")
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
