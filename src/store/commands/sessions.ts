import type { PersonId, Sha256Hex, WriterId } from "../../domain/ids.ts";
import { ownActor, type Person } from "../../domain/principal.ts";
import {
  MAX_SESSIONS_OF_PERSON,
  SESSION_IDLE_MS,
  SESSION_LIFETIME_MS,
  type Session,
} from "../../domain/session.ts";
import type { AccountStore, SignInProof } from "../../governance/account-ports.ts";
import { administrator } from "../administrator.ts";
import type { SessionRow } from "../database.ts";
import { type Commits, OF_GUARDS, OF_NOTHING, ofRow, type Reads } from "./commits.ts";
import type { CredentialRows } from "./credential-rows.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { PasswordRows } from "./password-rows.ts";
import type { PrincipalRows } from "./principal-rows.ts";
import { type Steps, statement } from "./statement.ts";

/** Sessions as their rows are now; written inside transactions. */
export interface SessionRows {
  find(sha256: Sha256Hex): Steps<Session | null>;
  open(params: { sha256: Sha256Hex; personId: PersonId; nowMs: number }): Steps<void>;
  used(sha256: Sha256Hex, nowMs: number): Steps<void>;
  close(sha256: Sha256Hex): Steps<void>;
  /** @returns how many there were */
  closeAll(personId: PersonId): Steps<number>;
}

export function createSessionRows(): SessionRows {
  const find = statement<SessionRow>("select * from sessions where sha256 = :sha256");
  const insert = statement(
    `insert into sessions (sha256, person_id, opened_at_ms, used_at_ms) values (:sha256, :person, :now, :now)`,
  );
  const forgetEnded = statement(
    "delete from sessions where opened_at_ms <= :opened_before or used_at_ms <= :used_before",
  );
  const forgetOldest = statement(`delete from sessions where person_id = :person and sha256 not in (
       select sha256 from sessions where person_id = :person order by used_at_ms desc, sha256 limit :kept)`);
  const used = statement("update sessions set used_at_ms = :now where sha256 = :sha256");
  const close = statement("delete from sessions where sha256 = :sha256");
  const closeAll = statement("delete from sessions where person_id = :person");
  return {
    *find(sha256) {
      const row = yield* find.get({ sha256 });
      return row === undefined
        ? null
        : { personId: row.person_id, openedAtMs: row.opened_at_ms, usedAtMs: row.used_at_ms };
    },
    *open({ sha256, personId, nowMs }) {
      yield* forgetEnded.send({
        opened_before: nowMs - SESSION_LIFETIME_MS,
        used_before: nowMs - SESSION_IDLE_MS,
      });
      yield* forgetOldest.send({ person: personId, kept: MAX_SESSIONS_OF_PERSON - 1 });
      yield* insert.send({ sha256, person: personId, now: nowMs });
    },
    used: (sha256, nowMs) => used.send({ sha256, now: nowMs }),
    close: (sha256) => close.send({ sha256 }),
    closeAll: (person) => closeAll.run({ person }),
  };
}

export interface SessionsDeps {
  readonly commits: Commits;
  readonly reads: Reads;
  readonly people: PrincipalRows;
  readonly credentials: CredentialRows;
  readonly passwords: PasswordRows;
  readonly sessions: SessionRows;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly writer: WriterId;
}

export function createSessions(
  deps: SessionsDeps,
): Pick<
  AccountStore,
  | "openSession"
  | "findSession"
  | "noteSessionUse"
  | "closeSession"
  | "closeAllSessions"
  | "recordSignInFailed"
> {
  const { commits, reads, people, sessions, ledger } = deps;

  function* recordSignedOut(personId: PersonId, everywhere: boolean, nowMs: number): Steps<void> {
    const person = yield* people.person(personId);
    if (person === null) return;
    const details = { person: personId, everywhere };
    yield* ledger.append({ type: "person.signed_out", actor: ownActor(person), details }, nowMs);
  }

  return {
    openSession: ({ sha256, personId, proof }) =>
      commits.run(OF_GUARDS, function* (tx) {
        const person = yield* people.person(personId);
        if (person === null || person.revokedAtMs !== null || person.roles.length === 0) return false;
        if (!(yield* stillGood(proof, person, deps))) return false;
        yield* sessions.open({ sha256, personId, nowMs: tx.nowMs });
        const details = { person: personId, with: proof.kind };
        yield* ledger.append({ type: "person.signed_in", actor: ownActor(person), details }, tx.nowMs);
        return true;
      }),
    findSession: (sha256) => reads(sessions.find(sha256)),
    noteSessionUse: (sha256) => commits.run(ofRow(sha256), (tx) => sessions.used(sha256, tx.nowMs)),
    closeSession: (sha256) =>
      commits.run(OF_GUARDS, function* (tx) {
        const session = yield* sessions.find(sha256);
        if (session === null) return;
        yield* sessions.close(sha256);
        yield* recordSignedOut(session.personId, false, tx.nowMs);
      }),
    closeAllSessions: (personId) =>
      commits.run(OF_GUARDS, function* (tx) {
        const closed = yield* sessions.closeAll(personId);
        yield* recordSignedOut(personId, true, tx.nowMs);
        return closed;
      }),
    // The gateway is the actor: whoever it was, it was not proved to be the person.
    recordSignInFailed: (personId) =>
      commits.run(OF_NOTHING, (tx) => {
        const actor = administrator(null, deps.writer);
        return ledger.append(
          { type: "person.sign_in_failed", actor, details: { person: personId } },
          tx.nowMs,
        );
      }),
  };
}

function* stillGood(
  proof: SignInProof,
  person: Person,
  { credentials, passwords }: Pick<SessionsDeps, "credentials" | "passwords">,
): Steps<boolean> {
  if (proof.kind === "password") return (yield* passwords.hashOf(person.id)) === proof.hash;
  const credential = yield* credentials.find(proof.sha256);
  return credential?.principal_kind === "person" && credential.principal_id === person.id;
}
