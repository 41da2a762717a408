import type { OutboxMessage, OutboxStore } from "../../governance/ports.ts";
import type { OutboxRow } from "../database.ts";
import { type Commits, ofRow, type Reads } from "./commits.ts";
import { type Steps, statement } from "./statement.ts";

export interface OutboxDeps {
  readonly commits: Commits;
  readonly reads: Reads;
  /** Database time. */
  readonly now: () => Steps<number>;
}

/** A delivered message is deleted; one that was given up stays without a due time. */
export function createOutbox({ commits, reads, now }: OutboxDeps): OutboxStore {
  const due = statement<OutboxRow>(
    "select * from outbox where due_at_ms <= :now order by due_at_ms, created_at_ms, id limit :limit",
  );
  const next = statement<{ due_at_ms: number }>(
    "select due_at_ms from outbox where due_at_ms is not null order by due_at_ms limit 1",
  );
  const remove = statement("delete from outbox where id = :id");
  const fail = statement(
    "update outbox set attempts = attempts + 1, due_at_ms = :retry_at, last_error = :error where id = :id",
  );
  return {
    dueMessages: (limit) =>
      reads(
        (function* () {
          const rows = yield* due.all({ now: yield* now(), limit });
          return rows.map(rowToMessage);
        })(),
      ),
    nextMessageAtMs: () =>
      reads(
        (function* () {
          return (yield* next.get())?.due_at_ms ?? null;
        })(),
      ),
    async markDelivered(id) {
      await commits.run(ofRow(id), () => remove.send({ id }));
    },
    async markAttemptFailed({ id, retryAtMs, error }) {
      await commits.run(ofRow(id), () => fail.send({ id, retry_at: retryAtMs, error }));
    },
  };
}

function rowToMessage(row: OutboxRow): OutboxMessage {
  return {
    id: row.id,
    topic: row.topic,
    ref: row.ref,
    createdAtMs: row.created_at_ms,
    attempts: row.attempts,
  };
}
