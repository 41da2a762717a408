import type { Kysely } from "kysely";
import { z } from "zod";
import type { CaseRef } from "../domain/ids.ts";
import type { CaseTimelineEvent } from "../governance/ports.ts";
import type { Database } from "./database.ts";

/** What is read of an event's bytes; an event that does not say it is shown without it. */
const bytesSchema = z.object({
  at: z.string(),
  type: z.string(),
  actor: z.object({ kind: z.string(), id: z.string() }),
  details: z.looseObject({
    from: z.string().nullish(),
    to: z.string().nullish(),
    reason: z.string().nullish(),
  }),
});

export interface TimelineParams {
  readonly ref: CaseRef;
  readonly afterId: number;
  readonly limit: number;
}

/** Events of one case in the order of their commits, by the index on their reference. */
export async function caseTimeline(
  db: Kysely<Database>,
  { ref, afterId, limit }: TimelineParams,
): Promise<readonly CaseTimelineEvent[]> {
  const rows = await db
    .selectFrom("ledger_events")
    .select(["id", "writer", "sequence", "hash", "bytes"])
    .where("ref", "=", ref)
    .where("id", ">", afterId)
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(({ id, writer, sequence, hash, bytes }) => {
    const { at, type, actor, details } = bytesSchema.parse(JSON.parse(bytes));
    const { from = null, to = null, reason: reasonId = null } = details;
    return { id, writer, sequence, hash, at, type, actor, from, to, reasonId };
  });
}
