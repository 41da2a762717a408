import type { Case } from "../../domain/case.ts";
import type { CaseRef } from "../../domain/ids.ts";
import type { EngineRun, EngineRunStore, Telling } from "../../governance/engine-ports.ts";
import { planEnded, planNote, planSeen, planTelling } from "../../governance/transitions/engine-run.ts";
import type { EngineRunRow } from "../database.ts";
import type { CaseRows } from "./case-rows.ts";
import { type Commits, OF_NOTHING, ofRow, type Reads } from "./commits.ts";
import { type Steps, statement } from "./statement.ts";

export interface EngineRunsDeps {
  readonly commits: Commits;
  readonly reads: Reads;
  readonly rows: Pick<CaseRows, "find">;
}

/** How many cases that nobody noted are noted in one transaction. */
const NOTED_AT_ONCE = 1_000;

/** The outbox to an engine that is another process; what becomes of each row is a pure function's answer. */
export function createEngineRuns({ commits, reads, rows }: EngineRunsDeps): EngineRunStore {
  const runs = engineRunRows();
  /** Rows of one case are changed one after another. */
  const ofRun = (ref: CaseRef) => ofRow(`engine ${ref}`);

  function* note(ref: CaseRef, overdue: boolean, nowMs: number): Steps<void> {
    const next = planNote(yield* runs.find(ref), yield* rows.find(ref), { overdue, nowMs });
    if (next !== null) yield* runs.save(next);
  }

  /** @returns what is to be told; null when nothing is, or another gateway took it. */
  function* take(run: EngineRun, current: Case | null, nowMs: number): Steps<Telling | null> {
    const { tell, next } = planTelling(run, current, nowMs);
    if (!(yield* runs.replace(run, next))) return null;
    return tell && next !== null && current !== null ? { run: next, case: current } : null;
  }

  return {
    noteForEngine: ({ ref, overdue }) => commits.run(ofRun(ref), (tx) => note(ref, overdue, tx.nowMs)),
    noteMissed: () =>
      commits.run(OF_NOTHING, function* (tx) {
        for (const ref of yield* runs.missed(NOTED_AT_ONCE)) yield* note(ref, false, tx.nowMs);
      }),
    takeTellings: (limit) =>
      commits.run(OF_NOTHING, function* (tx) {
        const tellings: Telling[] = [];
        for (const run of yield* runs.due(tx.nowMs, limit)) {
          const telling = yield* take(run, yield* rows.find(run.ref), tx.nowMs);
          if (telling !== null) tellings.push(telling);
        }
        return tellings;
      }),
    putOffTellings: ({ refs, untilMs }) =>
      commits.run(OF_NOTHING, function* () {
        for (const ref of refs) {
          const run = yield* runs.find(ref);
          if (run?.dueAtMs == null) continue;
          yield* runs.replace(run, { ...run, tellings: Math.max(0, run.tellings - 1), dueAtMs: untilMs });
        }
      }),
    runSeen: (seen) =>
      commits.run(ofRun(seen.ref), function* () {
        const next = planSeen(yield* runs.find(seen.ref), seen);
        if (next !== null) yield* runs.save(next);
        return next !== null;
      }),
    runEnded: ({ ref, generation, restartAfterMs }) =>
      commits.run(ofRun(ref), function* (tx) {
        const run = yield* runs.find(ref);
        const restartAtMs = restartAfterMs === null ? null : tx.nowMs + restartAfterMs;
        const change = planEnded(run, yield* rows.find(ref), { generation, restartAtMs });
        if (run !== null && change !== null) yield* runs.replace(run, change.next);
      }),
    nextTellingAtMs: () => reads(runs.nextDueAtMs()),
  };
}

/** Open cases that the engine never heard of, and those that were decided or ended after it last heard of them. */
const MISSED = `select c.ref as ref from cases c left join engine_runs e on e.ref = c.ref
  where (c.state = 'AWAITING_REVIEW' and e.ref is null)
    or (c.state = 'AUTHORIZED' and (e.ref is null or e.revision < c.revision))
  union all
  select e.ref as ref from engine_runs e join cases c on c.ref = e.ref
  where c.state in ('REJECTED', 'EXPIRED', 'CANCELLED', 'DENIED') and e.revision < c.revision
  limit :limit`;

/** The row as it was read: a row that another gateway has changed meanwhile is left to it. */
const UNCHANGED = `ref = :ref and generation = :was_generation and tellings = :was_tellings
  and revision = :was_revision and begun = :was_begun`;

function engineRunRows() {
  const find = statement<EngineRunRow>("select * from engine_runs where ref = :ref");
  const missed = statement<{ ref: CaseRef }>(MISSED);
  const due = statement<EngineRunRow>(
    "select * from engine_runs where due_at_ms <= :now order by due_at_ms, ref limit :limit",
  );
  const next = statement<{ due_at_ms: number }>(
    "select due_at_ms from engine_runs where due_at_ms is not null order by due_at_ms limit 1",
  );
  const save = statement(
    `insert into engine_runs (ref, generation, begun, tellings, revision, due_at_ms)
     values (:ref, :generation, :begun, :tellings, :revision, :due_at_ms)
     on conflict (ref) do update set generation = excluded.generation, begun = excluded.begun,
       tellings = excluded.tellings, revision = excluded.revision, due_at_ms = excluded.due_at_ms`,
  );
  const update = statement(
    `update engine_runs set generation = :generation, begun = :begun, tellings = :tellings, revision = :revision,
       due_at_ms = :due_at_ms where ${UNCHANGED}`,
  );
  const remove = statement(`delete from engine_runs where ${UNCHANGED}`);
  return {
    *find(ref: CaseRef): Steps<EngineRun | null> {
      const row = yield* find.get({ ref });
      return row === undefined ? null : rowToRun(row);
    },
    *missed(limit: number): Steps<readonly CaseRef[]> {
      return (yield* missed.all({ limit })).map(({ ref }) => ref);
    },
    *due(nowMs: number, limit: number): Steps<readonly EngineRun[]> {
      return (yield* due.all({ now: nowMs, limit })).map(rowToRun);
    },
    *nextDueAtMs(): Steps<number | null> {
      return (yield* next.get())?.due_at_ms ?? null;
    },
    save: (run: EngineRun) => save.send({ ...runToRow(run) }),
    /** @returns false when the row is not any more as it was read. */
    *replace(was: EngineRun, by: EngineRun | null): Steps<boolean> {
      const unchanged = {
        ref: was.ref,
        was_generation: was.generation,
        was_tellings: was.tellings,
        was_revision: was.revision,
        was_begun: was.begun ? 1 : 0,
      };
      const changed =
        by === null ? yield* remove.run(unchanged) : yield* update.run({ ...unchanged, ...runToRow(by) });
      return changed === 1;
    },
  };
}

function rowToRun(row: EngineRunRow): EngineRun {
  return {
    ref: row.ref,
    generation: row.generation,
    begun: row.begun === 1,
    tellings: row.tellings,
    revision: row.revision,
    dueAtMs: row.due_at_ms,
  };
}

function runToRow(run: EngineRun): EngineRunRow {
  return {
    ref: run.ref,
    generation: run.generation,
    begun: run.begun ? 1 : 0,
    tellings: run.tellings,
    revision: run.revision,
    due_at_ms: run.dueAtMs,
  };
}
