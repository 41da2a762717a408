import type { CaseState } from "../domain/case.ts";
import type { EngagedKillSwitch, Figures } from "../governance/ports.ts";
import type { StoredEvent } from "../ledger/chain.ts";
import type { SignedHead } from "../ledger/head.ts";
import { type Steps, statement } from "./commands/statement.ts";
import type { LedgerHeadRow } from "./database.ts";
import { rowToHead } from "./ledger-codec.ts";
import type { SqlDialect } from "./migrations/0001-initial.ts";
import { migrationProvider } from "./migrations/migrations.ts";

/** What a look at any database finds, without changing it. */
export interface Inspection {
  /** Migrations of this version that the next start will carry out. */
  readonly pendingMigrations: readonly string[];
  /** Migrations that this version does not know: a newer one has written the database. */
  readonly unknownMigrations: readonly string[];
  readonly figures: Figures;
  readonly killSwitches: readonly Pick<EngagedKillSwitch, "scope" | "target" | "sinceMs">[];
  /** Open cases that could not reach their upstream this often. */
  readonly retried: readonly { readonly ref: string; readonly state: CaseState; readonly attempts: number }[];
  /** Earliest time at which something should have happened; null when nothing is due. */
  readonly dueAtMs: number | null;
  readonly newestEvents: readonly StoredEvent[];
  readonly heads: readonly SignedHead[];
  /** Id of the key that the newest chain was begun with; null in an empty ledger. */
  readonly newestKeyId: string | null;
}

export interface InspectionParams {
  /** How many of the newest events. */
  readonly events: number;
  /** Cases with at least this many failed attempts. */
  readonly attempts: number;
}

const APPLIED = statement<{ name: string }>("select name from kysely_migration");
const SWITCHES = statement<Inspection["killSwitches"][number]>(
  `select scope, target, engaged_at_ms as "sinceMs" from kill_switches order by scope, target`,
);
const RETRIED = statement<Inspection["retried"][number]>(
  `select ref, state, attempts from cases
   where finished_at_ms is null and attempts >= :attempts order by attempts desc limit 20`,
);
const DUE = statement<{ due: number | null }>(
  "select min(due_at_ms) as due from cases where due_at_ms is not null",
);
const NEWEST = statement<StoredEvent>(
  `select writer, sequence, ref, hash, bytes from ledger_events
   where id > (select coalesce(max(id), 0) - :events from ledger_events) order by id`,
);
const HEADS = statement<LedgerHeadRow>("select * from ledger_heads");
const KEY = statement<{ key_id: string }>(
  "select key_id from ledger_writers order by started_at_ms desc limit 1",
);

/** Everything of an inspection that rows say. */
export function* inspectRows({
  events,
  attempts,
}: InspectionParams): Steps<Omit<Inspection, "figures" | "pendingMigrations" | "unknownMigrations">> {
  return {
    killSwitches: yield* SWITCHES.all(),
    retried: yield* RETRIED.all({ attempts }),
    dueAtMs: (yield* DUE.get())?.due ?? null,
    newestEvents: yield* NEWEST.all({ events }),
    heads: (yield* HEADS.all()).map(rowToHead),
    newestKeyId: (yield* KEY.get())?.key_id ?? null,
  };
}

export function* appliedMigrations(): Steps<readonly string[]> {
  return (yield* APPLIED.all()).map(({ name }) => name);
}

/** Compares what was carried out with what this version knows. */
export async function compareMigrations(
  applied: readonly string[],
  dialect: SqlDialect,
): Promise<Pick<Inspection, "pendingMigrations" | "unknownMigrations">> {
  const known = Object.keys(await migrationProvider(dialect).getMigrations());
  return {
    pendingMigrations: known.filter((name) => !applied.includes(name)),
    unknownMigrations: applied.filter((name) => !known.includes(name)),
  };
}
