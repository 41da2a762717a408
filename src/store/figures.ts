import type { Kysely } from "kysely";
import type { Figures } from "../governance/ports.ts";
import type { Database } from "./database.ts";

/** A database may give a count as text. */
type Count = number | string;

export async function readFigures(db: Kysely<Database>): Promise<Figures> {
  const open = await db
    .selectFrom("cases")
    .select((eb) => ["state", "reason_id", eb.fn.countAll<Count>().as("count")])
    .where("finished_at_ms", "is", null)
    .groupBy(["state", "reason_id"])
    .orderBy("state")
    .orderBy("reason_id")
    .execute();
  const [waiting] = await db
    .selectFrom("outbox")
    .select((eb) => [eb.fn.countAll<Count>().as("count"), eb.fn.min("created_at_ms").as("oldest")])
    .where("due_at_ms", "is not", null)
    .execute();
  const [givenUp] = await db
    .selectFrom("outbox")
    .select((eb) => eb.fn.countAll<Count>().as("count"))
    .where("due_at_ms", "is", null)
    .execute();
  const switches = await db
    .selectFrom("kill_switches")
    .select((eb) => ["scope", eb.fn.countAll<Count>().as("count")])
    .groupBy("scope")
    .execute();
  const [newest] = await db
    .selectFrom("ledger_events")
    .select((eb) => eb.fn.max("id").as("id"))
    .execute();
  const killSwitches = { all: 0, upstream: 0, tool: 0, agent: 0 };
  for (const { scope, count } of switches) killSwitches[scope] = Number(count);
  return {
    open: open.map((row) => ({ state: row.state, reasonId: row.reason_id, count: Number(row.count) })),
    outbox: {
      waiting: Number(waiting?.count ?? 0),
      oldestAtMs: waiting?.oldest ?? null,
      givenUp: Number(givenUp?.count ?? 0),
    },
    killSwitches,
    ledgerEvents: newest?.id ?? 0,
  };
}
