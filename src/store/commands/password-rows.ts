import { type Steps, statement } from "./statement.ts";

/** Password hashes as their rows are now; written inside transactions. */
export interface PasswordRows {
  hashOf(personId: string): Steps<string | null>;
  holders(): Steps<readonly string[]>;
  save(params: { id: string; hash: string; nowMs: number }): Steps<void>;
  remove(personId: string): Steps<void>;
}

export function createPasswordRows(): PasswordRows {
  const find = statement<{ hash: string }>("select hash from passwords where person_id = :id");
  const holders = statement<{ id: string }>("select person_id as id from passwords");
  const save = statement(`insert into passwords (person_id, hash, set_at_ms) values (:id, :hash, :now)
     on conflict (person_id) do update set hash = excluded.hash, set_at_ms = excluded.set_at_ms`);
  const remove = statement("delete from passwords where person_id = :id");
  return {
    *hashOf(id) {
      return (yield* find.get({ id }))?.hash ?? null;
    },
    *holders() {
      return (yield* holders.all()).map(({ id }) => id);
    },
    save: ({ id, hash, nowMs }) => save.send({ id, hash, now: nowMs }),
    remove: (id) => remove.send({ id }),
  };
}
