import type { DatabaseSync } from "node:sqlite";
import { prepare } from "./connection.ts";

/** Password hashes as their rows are now; written inside transactions. */
export interface PasswordRows {
  hashOf(personId: string): string | null;
  holders(): readonly string[];
  save(params: { id: string; hash: string; nowMs: number }): void;
  remove(personId: string): void;
}

export function createPasswordRows(db: DatabaseSync): PasswordRows {
  const find = prepare<{ hash: string }>(db, "select hash from passwords where person_id = :id");
  const holders = prepare<{ id: string }>(db, "select person_id as id from passwords");
  const save = prepare(
    db,
    `insert into passwords (person_id, hash, set_at_ms) values (:id, :hash, :now)
     on conflict (person_id) do update set hash = excluded.hash, set_at_ms = excluded.set_at_ms`,
  );
  const remove = prepare(db, "delete from passwords where person_id = :id");
  return {
    hashOf: (id) => find.get({ id })?.hash ?? null,
    holders: () => holders.all().map(({ id }) => id),
    save: ({ id, hash, nowMs }) => void save.run({ id, hash, now: nowMs }),
    remove: (id) => void remove.run({ id }),
  };
}
