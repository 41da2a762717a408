import { type Kysely, sql } from "kysely";
import type { ApprovedCall, RepeatedCall } from "../governance/suggest-rule.ts";
import type { Database } from "./database.ts";

/** References given of each call. */
const REFS = 10;

export interface ApprovedCallsParams {
  /** null: every call that people approved. */
  readonly of: RepeatedCall | null;
  readonly atLeast: number;
}

/** Counted by the index of what people decided; what machines decided is not looked at. */
export async function approvedCalls(
  db: Kysely<Database>,
  params: ApprovedCallsParams,
): Promise<readonly ApprovedCall[]> {
  const rows = await approvedCallsQuery(db, params).execute();
  return Promise.all(
    rows.map(async (row) => {
      const call = { agentId: row.agent_id, upstream: row.upstream, tool: row.tool, toolPin: row.tool_pin };
      return {
        ...call,
        approvals: row.approvals,
        highestScore: row.highest_score,
        refs: await latestRefs(db, call),
      };
    }),
  );
}

/**
 * An approval counts if it was for the call as it was shown and for the definition that the case has. One rejection, one edit or
 * one approval that was taken back, and nothing is suggested.
 */
export function approvedCallsQuery(db: Kysely<Database>, { of, atLeast }: ApprovedCallsParams) {
  const approval = sql<number>`sum(case when d.decision = 'APPROVED' and d.digest_authorized = c.action_digest then 1 else 0 end)`;
  const against = sql<number>`sum(case when d.decision <> 'APPROVED' or d.digest_shown <> d.digest_authorized or c.reason_id = 'review.undone' then 1 else 0 end)`;
  let query = db
    .selectFrom("cases as c")
    .innerJoin("decisions as d", "d.ref", "c.ref")
    .where("c.decided_by", "is not", null);
  if (of !== null) {
    query = query
      .where("c.agent_id", "=", of.agentId)
      .where("c.upstream", "=", of.upstream)
      .where("c.tool", "=", of.tool)
      .where("c.tool_pin", "=", of.toolPin);
  }
  return query
    .select((eb) => [
      "c.agent_id",
      "c.upstream",
      "c.tool",
      "c.tool_pin",
      approval.as("approvals"),
      eb.fn.max("c.risk_score").as("highest_score"),
    ])
    .groupBy(["c.agent_id", "c.upstream", "c.tool", "c.tool_pin"])
    .having(against, "=", 0)
    .having(approval, ">=", atLeast)
    .orderBy("approvals", "desc")
    .limit(100);
}

async function latestRefs(db: Kysely<Database>, of: RepeatedCall) {
  const rows = await db
    .selectFrom("cases")
    .select("ref")
    .where("agent_id", "=", of.agentId)
    .where("upstream", "=", of.upstream)
    .where("tool", "=", of.tool)
    .where("tool_pin", "=", of.toolPin)
    .where("decided_by", "is not", null)
    .orderBy("decided_at_ms", "desc")
    .orderBy("ref", "desc")
    .limit(REFS)
    .execute();
  return rows.map(({ ref }) => ref);
}
