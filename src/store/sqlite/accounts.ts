import type { DatabaseSync } from "node:sqlite";
import type { PersonId, WriterId } from "../../domain/ids.ts";
import { ownActor, type Person } from "../../domain/principal.ts";
import type { AccountStore, SignInMeans } from "../../governance/account-ports.ts";
import { administrator, requireAdmin } from "../administrator.ts";
import { rolesToText } from "../principal-codec.ts";
import { prepare } from "./connection.ts";
import type { CredentialRows } from "./credential-rows.ts";
import type { GroupCommit, Transaction } from "./group-commit.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { PasswordRows } from "./password-rows.ts";
import type { PrincipalRows } from "./principal-rows.ts";
import type { Reads } from "./reads.ts";
import type { SessionRows } from "./sessions.ts";

export interface AccountsDeps {
  readonly db: DatabaseSync;
  readonly commits: GroupCommit;
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
function active(people: PrincipalRows, id: PersonId): Person | null {
  const person = people.person(id);
  return person === null || person.revokedAtMs !== null ? null : person;
}

function signInMeans(
  deps: AccountsDeps,
): Pick<Accounts, "findPassword" | "setPassword" | "rehashPassword" | "rotateToken" | "listSignInMeans"> {
  const { commits, reads, people, credentials, passwords, sessions, ledger, writer } = deps;
  return {
    findPassword: (id) =>
      reads(() => {
        const person = active(people, id);
        const hash = person === null ? null : passwords.hashOf(id);
        return person === null || hash === null ? null : { person, hash };
      }),
    setPassword: ({ id, hash, own }) =>
      commits.run((tx) => {
        const person = active(people, id);
        if (person === null) return "unknown_person";
        if (own !== null && own.replaces !== passwords.hashOf(id)) return "outdated";
        passwords.save({ id, hash, nowMs: tx.nowMs });
        sessions.closeAll(id);
        const actor = own === null ? administrator(null, writer) : ownActor(person);
        ledger.append({ type: "person.password_set", actor, details: { person: id } }, tx.nowMs);
        return "set";
      }),
    rehashPassword: ({ id, replaces, hash }) =>
      commits.run((tx) => {
        if (active(people, id) === null || passwords.hashOf(id) !== replaces) return;
        passwords.save({ id, hash, nowMs: tx.nowMs });
        const actor = administrator(null, writer);
        ledger.append({ type: "person.password_rehashed", actor, details: { person: id } }, tx.nowMs);
      }),
    rotateToken: ({ id, tokenSha256, by }) =>
      commits.run((tx) => {
        requireAdmin(by, people);
        if (active(people, id) === null) return false;
        credentials.revokeAll("person", id, tx.nowMs);
        credentials.add({ sha256: tokenSha256, kind: "person", id, nowMs: tx.nowMs });
        sessions.closeAll(id);
        const actor = administrator(by, writer);
        ledger.append({ type: "person.token_rotated", actor, details: { person: id } }, tx.nowMs);
        return true;
      }),
    listSignInMeans: () =>
      reads(() => {
        const withPassword = new Set(passwords.holders());
        const withToken = new Set(credentials.tokenHolders());
        const means = new Map<PersonId, SignInMeans>();
        for (const { id, revokedAtMs } of people.people()) {
          if (revokedAtMs === null)
            means.set(id, { password: withPassword.has(id), token: withToken.has(id) });
        }
        return means;
      }),
  };
}

function standing(deps: AccountsDeps): Pick<Accounts, "changeRoles" | "revokePerson"> {
  const { commits, people, credentials, passwords, sessions, ledger, writer } = deps;
  const saveRoles = prepare(deps.db, "update people set roles = :roles where id = :id");
  const revoke = prepare(deps.db, "update people set revoked_at_ms = :now where id = :id");

  function isLastAdmin(person: Person): boolean {
    const admins = people.people().filter((p) => p.revokedAtMs === null && p.roles.includes("admin"));
    return admins.length === 1 && admins[0]?.id === person.id;
  }

  /** Ends what the person had begun with what they were until now. */
  function record(
    tx: Transaction,
    type: string,
    person: Person,
    by: PersonId | null,
    roles?: Person["roles"],
  ) {
    sessions.closeAll(person.id);
    const details = {
      person: person.id,
      roles: roles === undefined ? undefined : [...new Set(roles)].sort(),
    };
    ledger.append({ type, actor: administrator(by, writer), details }, tx.nowMs);
  }

  return {
    changeRoles: ({ id, roles, by }) =>
      commits.run((tx) => {
        requireAdmin(by, people);
        const person = active(people, id);
        if (person === null) return "unknown_person";
        if (rolesToText(roles) === rolesToText(person.roles)) return "done";
        if (by !== null && !roles.includes("admin") && isLastAdmin(person)) return "last_admin";
        saveRoles.run({ id, roles: rolesToText(roles) });
        record(tx, "person.roles_changed", person, by, roles);
        return "done";
      }),
    revokePerson: ({ id, by }) =>
      commits.run((tx) => {
        requireAdmin(by, people);
        const person = active(people, id);
        if (person === null) return "unknown_person";
        if (by !== null && isLastAdmin(person)) return "last_admin";
        revoke.run({ id, now: tx.nowMs });
        credentials.revokeAll("person", id, tx.nowMs);
        passwords.remove(id);
        record(tx, "person.revoked", person, by);
        return "done";
      }),
  };
}
