import type { PersonId, WriterId } from "../../domain/ids.ts";
import { ownActor, type Person } from "../../domain/principal.ts";
import type { AccountStore, SignInMeans } from "../../governance/account-ports.ts";
import { administrator, requireAdmin } from "../administrator.ts";
import { rolesToText } from "../principal-codec.ts";
import { type Commits, OF_GUARDS, type Reads, type Transaction } from "./commits.ts";
import type { CredentialRows } from "./credential-rows.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { PasswordRows } from "./password-rows.ts";
import type { PrincipalRows } from "./principal-rows.ts";
import type { SessionRows } from "./sessions.ts";
import { type Steps, statement } from "./statement.ts";

export interface AccountsDeps {
  readonly commits: Commits;
  readonly reads: Reads;
  readonly people: PrincipalRows;
  readonly credentials: CredentialRows;
  readonly passwords: PasswordRows;
  readonly sessions: SessionRows;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly writer: WriterId;
}

type Accounts = Omit<
  AccountStore,
  | "openSession"
  | "findSession"
  | "noteSessionUse"
  | "closeSession"
  | "closeAllSessions"
  | "recordSignInFailed"
>;

/** What people sign in with, and what they may do. */
export function createAccounts(deps: AccountsDeps): Accounts {
  return { ...signInMeans(deps), ...standing(deps) };
}

/** null when there is no such person or they were revoked. */
function* active(people: PrincipalRows, id: PersonId): Steps<Person | null> {
  const person = yield* people.person(id);
  return person === null || person.revokedAtMs !== null ? null : person;
}

function signInMeans(
  deps: AccountsDeps,
): Pick<Accounts, "findPassword" | "setPassword" | "rehashPassword" | "rotateToken" | "listSignInMeans"> {
  const { commits, reads, people, credentials, passwords, sessions, ledger, writer } = deps;
  return {
    findPassword: (id) =>
      reads(
        (function* () {
          const person = yield* active(people, id);
          const hash = person === null ? null : yield* passwords.hashOf(id);
          return person === null || hash === null ? null : { person, hash };
        })(),
      ),
    setPassword: ({ id, hash, own }) =>
      commits.run(OF_GUARDS, function* (tx) {
        const person = yield* active(people, id);
        if (person === null) return "unknown_person";
        if (own !== null && own.replaces !== (yield* passwords.hashOf(id))) return "outdated";
        yield* passwords.save({ id, hash, nowMs: tx.nowMs });
        yield* sessions.closeAll(id);
        const actor = own === null ? administrator(null, writer) : ownActor(person);
        yield* ledger.append({ type: "person.password_set", actor, details: { person: id } }, tx.nowMs);
        return "set";
      }),
    rehashPassword: ({ id, replaces, hash }) =>
      commits.run(OF_GUARDS, function* (tx) {
        if ((yield* active(people, id)) === null) return;
        if ((yield* passwords.hashOf(id)) !== replaces) return;
        yield* passwords.save({ id, hash, nowMs: tx.nowMs });
        const actor = administrator(null, writer);
        yield* ledger.append({ type: "person.password_rehashed", actor, details: { person: id } }, tx.nowMs);
      }),
    rotateToken: ({ id, tokenSha256, by }) =>
      commits.run(OF_GUARDS, function* (tx) {
        yield* requireAdmin(by, people);
        if ((yield* active(people, id)) === null) return false;
        yield* credentials.revokeAll("person", id, tx.nowMs);
        yield* credentials.add({ sha256: tokenSha256, kind: "person", id, nowMs: tx.nowMs });
        yield* sessions.closeAll(id);
        const actor = administrator(by, writer);
        yield* ledger.append({ type: "person.token_rotated", actor, details: { person: id } }, tx.nowMs);
        return true;
      }),
    listSignInMeans: () =>
      reads(
        (function* () {
          const withPassword = new Set(yield* passwords.holders());
          const withToken = new Set(yield* credentials.tokenHolders());
          const means = new Map<PersonId, SignInMeans>();
          for (const { id, revokedAtMs } of yield* people.people()) {
            if (revokedAtMs === null)
              means.set(id, { password: withPassword.has(id), token: withToken.has(id) });
          }
          return means;
        })(),
      ),
  };
}

function standing(deps: AccountsDeps): Pick<Accounts, "changeRoles" | "revokePerson"> {
  const { commits, people, credentials, passwords, sessions, ledger, writer } = deps;
  const saveRoles = statement("update people set roles = :roles where id = :id");
  const revoke = statement("update people set revoked_at_ms = :now where id = :id");

  function* isLastAdmin(person: Person): Steps<boolean> {
    const admins = (yield* people.people()).filter(
      (p) => p.revokedAtMs === null && p.roles.includes("admin"),
    );
    return admins.length === 1 && admins[0]?.id === person.id;
  }

  /** Ends what the person had begun with what they were until now. */
  function* record(
    tx: Transaction,
    type: string,
    person: Person,
    by: PersonId | null,
    roles?: Person["roles"],
  ): Steps<void> {
    yield* sessions.closeAll(person.id);
    const details = {
      person: person.id,
      roles: roles === undefined ? undefined : [...new Set(roles)].sort(),
    };
    yield* ledger.append({ type, actor: administrator(by, writer), details }, tx.nowMs);
  }

  return {
    changeRoles: ({ id, roles, by }) =>
      commits.run(OF_GUARDS, function* (tx) {
        yield* requireAdmin(by, people);
        const person = yield* active(people, id);
        if (person === null) return "unknown_person";
        if (rolesToText(roles) === rolesToText(person.roles)) return "done";
        if (by !== null && !roles.includes("admin") && (yield* isLastAdmin(person))) return "last_admin";
        yield* saveRoles.send({ id, roles: rolesToText(roles) });
        yield* record(tx, "person.roles_changed", person, by, roles);
        return "done";
      }),
    revokePerson: ({ id, by }) =>
      commits.run(OF_GUARDS, function* (tx) {
        yield* requireAdmin(by, people);
        const person = yield* active(people, id);
        if (person === null) return "unknown_person";
        if (by !== null && (yield* isLastAdmin(person))) return "last_admin";
        yield* revoke.send({ id, now: tx.nowMs });
        yield* credentials.revokeAll("person", id, tx.nowMs);
        yield* passwords.remove(id);
        yield* record(tx, "person.revoked", person, by);
        return "done";
      }),
  };
}
