import { type Kysely, sql } from "kysely";
import type { DecisionCounts, DecisionHistory, HistoryParams } from "../governance/decision-history.ts";
import { rowToCase } from "./case-codec.ts";
import type { Database } from "./database.ts";

/** Decided cases that are listed; more is a matter for the list of cases. */
const RECENT = 6;

/** People decide few cases, so this walks their decisions and not the cases, most of which nobody was asked about. */
export async function decisionHistory(db: Kysely<Database>, params: HistoryParams): Promise<DecisionHistory> {
  const ofTool = sql<boolean>`(c.upstream = ${params.upstream} and c.tool = ${params.tool})`;
  const ofAgent = sql<boolean>`c.agent_id = ${params.agentId}`;
  const [tool, agent, recent, lastApproved] = await Promise.all([
    countsOf(decided(db, params).where(ofTool)),
    countsOf(decided(db, params).where(ofAgent)),
    newest(decided(db, params).where(sql<boolean>`(${ofTool} or ${ofAgent})`), RECENT),
    newest(decided(db, params).where(ofTool).where("d.decision", "=", "APPROVED"), 1),
  ]);
  return { tool, agent, recent, lastApproved: lastApproved[0] ?? null };
}

/** The newest decision of each case, unless it was taken back. */
function decided(db: Kysely<Database>, { ref }: HistoryParams) {
  return db
    .selectFrom("decisions as d")
    .innerJoin("cases as c", "c.ref", "d.ref")
    .where("c.decided_by", "is not", null)
    .where("c.reason_id", "<>", "review.undone")
    .where("c.ref", "<>", ref)
    .where(
      sql<boolean>`d.revision = (select max(later.revision) from decisions as later where later.ref = d.ref)`,
    );
}
type Decided = ReturnType<typeof decided>;

async function countsOf(query: Decided): Promise<DecisionCounts> {
  const rows = await query
    .select((eb) => ["d.decision", eb.fn.countAll<number | string>().as("count")])
    .groupBy("d.decision")
    .execute();
  const count = (decision: string) => Number(rows.find((row) => row.decision === decision)?.count ?? 0);
  return { approved: count("APPROVED"), rejected: count("REJECTED") };
}

async function newest(query: Decided, limit: number) {
  const rows = await query
    .selectAll("c")
    .orderBy("d.decided_at_ms", "desc")
    .orderBy("c.ref", "desc")
    .limit(limit)
    .execute();
  return rows.map(rowToCase);
}
