import type { DatabaseSync } from "node:sqlite";
import type { Case } from "../../domain/case.ts";
import type { Decision } from "../../domain/decision.ts";
import { AtlasError } from "../../domain/errors.ts";
import type { CaseRef, RandomBytes, Sha256Hex, WriterId } from "../../domain/ids.ts";
import { randomHex } from "../../domain/ids.ts";
import type { PayloadKind, Writes } from "../../governance/transitions/plan.ts";
import { CASE_COLUMNS, caseToRow, rowToCase } from "../case-codec.ts";
import type { CaseRow, DecisionRow } from "../database.ts";
import { prepare, type Statement } from "./connection.ts";
import type { Transaction } from "./group-commit.ts";
import type { LedgerWriter } from "./ledger-writer.ts";

/** Rows of cases and what belongs to them; the hot statements, prepared once. */
export interface CaseRows {
  find(ref: CaseRef): Case | null;
  /** A case of the same call that has not ended; the newest if there are several. */
  findOpen(joinKey: Sha256Hex): Case | null;
  /** The case of the same call that ended last, not before `sinceMs`. */
  findEnded(joinKey: Sha256Hex, sinceMs: number): Case | null;
  decisions(ref: CaseRef): readonly Decision[];
  payload(ref: CaseRef, kind: PayloadKind): string | null;
  due(params: { readonly writer: WriterId; readonly nowMs: number; readonly limit: number }): readonly Case[];
  nextDueAtMs(): number | null;
  postpone(ref: CaseRef, untilMs: number, nowMs: number): void;
  markReported(ref: CaseRef, nowMs: number): void;
  /**
   * Carries out what a pure transition decided, inside the open transaction.
   *
   * @throws AtlasError `internal` when the row is not the one that the transition saw.
   */
  carryOut(writes: Writes, tx: Transaction): void;
}

/**
 * A case that a kill switch holds is not due: there is nothing to do with it until the switch is
 * released, and it must not take the place of one that can move. A run in progress cannot be held.
 */
const NOT_HELD = `(c.state = 'EXECUTING' or not exists (
  select 1 from kill_switches k where k.scope = 'all'
    or (k.scope = 'upstream' and k.target = c.upstream)
    or (k.scope = 'tool' and k.target = c.upstream || '/' || c.tool)
    or (k.scope = 'agent' and k.target = c.agent_id)))`;

const DUE = `
  select * from (
    select c.* from cases c where c.due_at_ms <= :now and ${NOT_HELD}
    union
    select c.* from cases c where c.state = 'EXECUTING' and c.claimed_by <> :writer
  ) order by due_at_ms is null, due_at_ms, ref limit :limit`;

const NEXT_DUE = `
  select c.due_at_ms from cases c where c.due_at_ms is not null and ${NOT_HELD} order by c.due_at_ms limit 1`;

function selectStatements(db: DatabaseSync) {
  return {
    find: prepare<CaseRow>(db, "select * from cases where ref = :ref"),
    open: prepare<CaseRow>(
      db,
      `select * from cases where join_key = :join_key and finished_at_ms is null order by opened_at_ms desc, ref limit 1`,
    ),
    ended: prepare<CaseRow>(
      db,
      `select * from cases where join_key = :join_key and finished_at_ms is not null and finished_at_ms >= :since
       order by finished_at_ms desc, opened_at_ms desc limit 1`,
    ),
    decisions: prepare<DecisionRow>(db, "select * from decisions where ref = :ref order by revision"),
    payload: prepare<{ text: string }>(db, "select text from payloads where ref = :ref and kind = :kind"),
    due: prepare<CaseRow>(db, DUE),
    nextDue: prepare<{ due_at_ms: number }>(db, NEXT_DUE),
  };
}

function changeStatements(db: DatabaseSync) {
  const columns = CASE_COLUMNS.join(", ");
  const values = CASE_COLUMNS.map((column) => `:${column}`).join(", ");
  return {
    insert: prepare(db, `insert into cases (${columns}) values (${values})`),
    payload: prepare(
      db,
      `insert into payloads (ref, kind, salt, text) values (:ref, :kind, :salt, :text)
       on conflict (ref, kind) do update set salt = excluded.salt, text = excluded.text`,
    ),
    decision: prepare(
      db,
      `insert into decisions (ref, revision, person_id, decision, digest_shown, digest_authorized, decided_at_ms)
       values (:ref, :revision, :person_id, :decision, :digest_shown, :digest_authorized, :at_ms)`,
    ),
    message: prepare(
      db,
      `insert into outbox (id, topic, ref, created_at_ms, due_at_ms) values (:id, :topic, :ref, :now, :now)`,
    ),
    postpone: prepare(
      db,
      `update cases set due_at_ms = :until, attempts = attempts + 1, updated_at_ms = :now, revision = revision + 1
       where ref = :ref and state = 'AUTHORIZED'`,
    ),
    reported: prepare(
      db,
      `update cases set reported_at_ms = :now, updated_at_ms = :now, revision = revision + 1
       where ref = :ref and finished_at_ms is not null and reported_at_ms is null`,
    ),
  };
}

/**
 * Writes the columns that changed and no others: SQLite rewrites every index that holds a column named in an update.
 * Each set of columns that a transition changes is prepared once.
 */
function caseUpdater(db: DatabaseSync): (previous: CaseRow, next: CaseRow) => number {
  const prepared = new Map<string, Statement<never>>();
  return (previous, next) => {
    const changed = CASE_COLUMNS.filter((column) => previous[column] !== next[column]);
    const assignments = changed.map((column) => `${column} = :${column}`).join(", ");
    let statement = prepared.get(assignments);
    if (statement === undefined) {
      statement = prepare(
        db,
        `update cases set ${assignments} where ref = :ref and revision = :previous_revision`,
      );
      prepared.set(assignments, statement);
    }
    const values = Object.fromEntries(changed.map((column) => [column, next[column]]));
    return statement.run({ ...values, ref: next.ref, previous_revision: previous.revision });
  };
}

export interface CaseRowsDeps {
  readonly db: DatabaseSync;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly random: RandomBytes;
}

export function createCaseRows({ db, ledger, random }: CaseRowsDeps): CaseRows {
  const select = selectStatements(db);
  const change = changeStatements(db);
  const updateCase = caseUpdater(db);
  const caseOrNull = (row: CaseRow | undefined) => (row === undefined ? null : rowToCase(row));

  function writeCase(previous: Case | null, next: Case): void {
    if (previous === null) {
      change.insert.run({ ...caseToRow(next) });
      return;
    }
    if (updateCase(caseToRow(previous), caseToRow(next)) !== 1)
      throw new AtlasError("internal", `Case ${next.ref} changed while it was being changed.`);
  }

  return {
    find: (ref) => caseOrNull(select.find.get({ ref })),
    findOpen: (joinKey) => caseOrNull(select.open.get({ join_key: joinKey })),
    findEnded: (joinKey, sinceMs) => caseOrNull(select.ended.get({ join_key: joinKey, since: sinceMs })),
    decisions: (ref) => select.decisions.all({ ref }).map(rowToDecision),
    payload: (ref, kind) => select.payload.get({ ref, kind })?.text ?? null,
    due: ({ writer, nowMs, limit }) => select.due.all({ writer, now: nowMs, limit }).map(rowToCase),
    nextDueAtMs: () => select.nextDue.get()?.due_at_ms ?? null,
    postpone(ref, untilMs, nowMs) {
      change.postpone.run({ ref, until: untilMs, now: nowMs });
    },
    markReported(ref, nowMs) {
      change.reported.run({ ref, now: nowMs });
    },
    carryOut(writes, tx) {
      const { previous, next } = writes;
      writeCase(previous, next);
      for (const { kind, salt, text } of writes.payloads)
        change.payload.run({ ref: next.ref, kind, salt, text });
      if (writes.decision !== null) change.decision.run(decisionParameters(writes.decision, next.revision));
      for (const event of writes.events) ledger.append(event, tx.nowMs);
      for (const topic of writes.messages) {
        change.message.run({ id: `msg_${randomHex(16, random)}`, topic, ref: next.ref, now: tx.nowMs });
      }
      tx.changed({
        ref: next.ref,
        agentId: next.agentId,
        from: previous?.state ?? null,
        to: next.state,
        revision: next.revision,
        reported: next.reportedAtMs !== null,
        upstream: next.upstream,
        reasonId: next.reasonId,
        ageMs: next.updatedAtMs - next.openedAtMs,
      });
    },
  };
}

function decisionParameters(decision: Decision, revision: number) {
  return {
    ref: decision.ref,
    revision,
    person_id: decision.personId,
    decision: decision.decision,
    digest_shown: decision.digestShown,
    digest_authorized: decision.digestAuthorized,
    at_ms: decision.atMs,
  };
}

function rowToDecision(row: DecisionRow): Decision {
  return {
    ref: row.ref,
    personId: row.person_id,
    decision: row.decision,
    digestShown: row.digest_shown,
    digestAuthorized: row.digest_authorized,
    atMs: row.decided_at_ms,
  };
}
