import type { Case } from "../../domain/case.ts";
import type { Decision } from "../../domain/decision.ts";
import { AtlasError } from "../../domain/errors.ts";
import type { CaseRef, RandomBytes, Sha256Hex, WriterId } from "../../domain/ids.ts";
import { randomHex } from "../../domain/ids.ts";
import type { CaseChanged } from "../../governance/ports.ts";
import type { PayloadKind, Writes } from "../../governance/transitions/plan.ts";
import { CASE_COLUMNS, caseToRow, rowToCase } from "../case-codec.ts";
import type { CaseRow, DecisionRow } from "../database.ts";
import type { Transaction } from "./commits.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import { type Steps, statement } from "./statement.ts";

/** Rows of cases and what belongs to them; the hot statements, prepared once. */
export interface CaseRows {
  find(ref: CaseRef): Steps<Case | null>;
  /** A case of the same call that has not ended; the newest if there are several. */
  findOpen(joinKey: Sha256Hex): Steps<Case | null>;
  /** The case of the same call that ended last, not before `sinceMs`. */
  findEnded(joinKey: Sha256Hex, sinceMs: number): Steps<Case | null>;
  decisions(ref: CaseRef): Steps<readonly Decision[]>;
  payload(ref: CaseRef, kind: PayloadKind): Steps<string | null>;
  due(params: {
    readonly writer: WriterId;
    readonly nowMs: number;
    readonly limit: number;
  }): Steps<readonly Case[]>;
  nextDueAtMs(): Steps<number | null>;
  postpone(ref: CaseRef, untilMs: number, nowMs: number): Steps<void>;
  markReported(ref: CaseRef, nowMs: number): Steps<void>;
  /**
   * Carries out what a pure transition decided, inside the open transaction.
   *
   * @throws AtlasError `internal` when the row is not the one that the transition saw.
   */
  carryOut(writes: Writes, tx: Transaction): Steps<void>;
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
  ) found order by due_at_ms is null, due_at_ms, ref limit :limit`;

const NEXT_DUE = `
  select c.due_at_ms from cases c where c.due_at_ms is not null and ${NOT_HELD} order by c.due_at_ms limit 1`;

/** Some names are words of SQL (`authorization`). */
const quoted = (column: string) => `"${column}"`;

function selectStatements() {
  return {
    find: statement<CaseRow>("select * from cases where ref = :ref"),
    open: statement<CaseRow>(
      `select * from cases where join_key = :join_key and finished_at_ms is null order by opened_at_ms desc, ref limit 1`,
    ),
    ended:
      statement<CaseRow>(`select * from cases where join_key = :join_key and finished_at_ms is not null and finished_at_ms >= :since
       order by finished_at_ms desc, opened_at_ms desc limit 1`),
    decisions: statement<DecisionRow>("select * from decisions where ref = :ref order by revision"),
    payload: statement<{ text: string }>("select text from payloads where ref = :ref and kind = :kind"),
    due: statement<CaseRow>(DUE),
    nextDue: statement<{ due_at_ms: number }>(NEXT_DUE),
  };
}

function changeStatements() {
  const columns = CASE_COLUMNS.map(quoted).join(", ");
  const values = CASE_COLUMNS.map((column) => `:${column}`).join(", ");
  return {
    insert: statement(`insert into cases (${columns}) values (${values})`),
    payload: statement(`insert into payloads (ref, kind, salt, text) values (:ref, :kind, :salt, :text)
       on conflict (ref, kind) do update set salt = excluded.salt, text = excluded.text`),
    decision:
      statement(`insert into decisions (ref, revision, person_id, decision, digest_shown, digest_authorized, decided_at_ms)
       values (:ref, :revision, :person_id, :decision, :digest_shown, :digest_authorized, :at_ms)`),
    message: statement(
      `insert into outbox (id, topic, ref, created_at_ms, due_at_ms) values (:id, :topic, :ref, :now, :now)`,
    ),
    postpone:
      statement(`update cases set due_at_ms = :until, attempts = attempts + 1, updated_at_ms = :now, revision = revision + 1
       where ref = :ref and state = 'AUTHORIZED'`),
    reported: statement(`update cases set reported_at_ms = :now, updated_at_ms = :now, revision = revision + 1
       where ref = :ref and finished_at_ms is not null and reported_at_ms is null`),
  };
}

/** Writes the columns that changed and no others: SQLite rewrites every index that holds a column named in an update. */
function updateCase(previous: CaseRow, next: CaseRow): Steps<number> {
  const changed = CASE_COLUMNS.filter((column) => previous[column] !== next[column]);
  const assignments = changed.map((column) => `${quoted(column)} = :${column}`).join(", ");
  const values = Object.fromEntries(changed.map((column) => [column, next[column]]));
  return statement(`update cases set ${assignments} where ref = :ref and revision = :previous_revision`).run({
    ...values,
    ref: next.ref,
    previous_revision: previous.revision,
  });
}

export interface CaseRowsDeps {
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly random: RandomBytes;
}

export function createCaseRows({ ledger, random }: CaseRowsDeps): CaseRows {
  const select = selectStatements();
  const change = changeStatements();
  const caseOrNull = (row: CaseRow | undefined) => (row === undefined ? null : rowToCase(row));

  function* writeCase(previous: Case | null, next: Case): Steps<void> {
    if (previous === null) {
      yield* change.insert.send({ ...caseToRow(next) });
      return;
    }
    if ((yield* updateCase(caseToRow(previous), caseToRow(next))) !== 1)
      throw new AtlasError("internal", `Case ${next.ref} changed while it was being changed.`);
  }

  return {
    *find(ref) {
      return caseOrNull(yield* select.find.get({ ref }));
    },
    *findOpen(joinKey) {
      return caseOrNull(yield* select.open.get({ join_key: joinKey }));
    },
    *findEnded(joinKey, sinceMs) {
      return caseOrNull(yield* select.ended.get({ join_key: joinKey, since: sinceMs }));
    },
    *decisions(ref) {
      return (yield* select.decisions.all({ ref })).map(rowToDecision);
    },
    *payload(ref, kind) {
      return (yield* select.payload.get({ ref, kind }))?.text ?? null;
    },
    *due({ writer, nowMs, limit }) {
      return (yield* select.due.all({ writer, now: nowMs, limit })).map(rowToCase);
    },
    *nextDueAtMs() {
      return (yield* select.nextDue.get())?.due_at_ms ?? null;
    },
    postpone: (ref, untilMs, nowMs) => change.postpone.send({ ref, until: untilMs, now: nowMs }),
    markReported: (ref, nowMs) => change.reported.send({ ref, now: nowMs }),
    *carryOut(writes, tx) {
      const { previous, next } = writes;
      if (writes.durability === "full") tx.needsFull();
      yield* writeCase(previous, next);
      for (const { kind, salt, text } of writes.payloads)
        yield* change.payload.send({ ref: next.ref, kind, salt, text });
      if (writes.decision !== null)
        yield* change.decision.send(decisionParameters(writes.decision, next.revision));
      for (const event of writes.events) yield* ledger.append(event, tx.nowMs);
      for (const topic of writes.messages) {
        yield* change.message.send({
          id: `msg_${randomHex(16, random)}`,
          topic,
          ref: next.ref,
          now: tx.nowMs,
        });
      }
      tx.changed({ case: changeOf(previous, next) });
    },
  };
}

function changeOf(previous: Case | null, next: Case): CaseChanged {
  return {
    ref: next.ref,
    agentId: next.agentId,
    from: previous?.state ?? null,
    to: next.state,
    revision: next.revision,
    reported: next.reportedAtMs !== null,
    upstream: next.upstream,
    reasonId: next.reasonId,
    ageMs: next.updatedAtMs - next.openedAtMs,
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
