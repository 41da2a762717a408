import type { Kysely } from "kysely";
import { CASE_STATES, type Case, type CaseState } from "../domain/case.ts";
import type { CaseFilter } from "../governance/ports.ts";
import { rowToCase } from "./case-codec.ts";
import type { Database } from "./database.ts";

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
    .select((eb) => ["state", eb.fn.countAll<number>().as("count")])
    .groupBy("state")
    .execute();
  const counts = new Map(rows.map((row) => [row.state, Number(row.count)]));
  return Object.fromEntries(CASE_STATES.map((state) => [state, counts.get(state) ?? 0])) as Record<
    CaseState,
    number
  >;
}
