import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../domain/clock.ts";
import type { OutboxStore } from "../../governance/ports.ts";
import type { OutboxRow } from "../database.ts";
import { prepare } from "./connection.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Reads } from "./reads.ts";

export interface OutboxDeps {
  readonly db: DatabaseSync;
  readonly commits: GroupCommit;
  readonly reads: Reads;
  readonly clock: Clock;
}

/** A delivered message is deleted; one that was given up stays without a due time. */
export function createOutbox({ db, commits, reads, clock }: OutboxDeps): OutboxStore {
  const due = prepare<OutboxRow>(
    db,
    "select * from outbox where due_at_ms <= :now order by due_at_ms, created_at_ms, id limit :limit",
  );
  const next = prepare<{ due_at_ms: number }>(
    db,
    "select due_at_ms from outbox where due_at_ms is not null order by due_at_ms limit 1",
  );
  const remove = prepare(db, "delete from outbox where id = :id");
  const fail = prepare(
    db,
    "update outbox set attempts = attempts + 1, due_at_ms = :retry_at, last_error = :error where id = :id",
  );
  return {
    dueMessages: (limit) =>
      reads(() =>
        due.all({ now: clock.nowMs(), limit }).map((row) => ({
          id: row.id,
          topic: row.topic,
          ref: row.ref,
          createdAtMs: row.created_at_ms,
          attempts: row.attempts,
        })),
      ),
    nextMessageAtMs: () => reads(() => next.get()?.due_at_ms ?? null),
    async markDelivered(id) {
      await commits.run(() => remove.run({ id }));
    },
    async markAttemptFailed({ id, retryAtMs, error }) {
      await commits.run(() => fail.run({ id, retry_at: retryAtMs, error }));
    },
  };
}
