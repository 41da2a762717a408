import type { DatabaseSync } from "node:sqlite";
import { AtlasError } from "../../domain/errors.ts";
import type { WriterId } from "../../domain/ids.ts";
import type { PrincipalStore } from "../../governance/ports.ts";
import { administrator, requireAdmin } from "../administrator.ts";
import type { CredentialRow } from "../database.ts";
import { rolesToText } from "../principal-codec.ts";
import { prepare } from "./connection.ts";
import type { CredentialRows } from "./credential-rows.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { PrincipalRows } from "./principal-rows.ts";
import type { Reads } from "./reads.ts";

export interface PrincipalsDeps {
  readonly db: DatabaseSync;
  readonly commits: GroupCommit;
  readonly reads: Reads;
  readonly rows: PrincipalRows;
  readonly credentials: CredentialRows;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly writer: WriterId;
}

export function createPrincipals(deps: PrincipalsDeps): PrincipalStore {
  const { rows, credentials, reads } = deps;
  return {
    ...principalCommands(deps),
    findByCredential: (sha256) =>
      reads(() => {
        const row = credentials.find(sha256);
        return row === null ? null : holderOf(row, rows);
      }),
    getAgent: (id) => reads(() => rows.agent(id)),
    getPerson: (id) => reads(() => rows.person(id)),
    listAgents: () => reads(() => rows.agents()),
    listPeople: () => reads(() => rows.people()),
  };
}

/** A revoked principal holds nothing, whatever its credential's row says. */
function holderOf(row: CredentialRow, rows: PrincipalRows) {
  if (row.principal_kind === "agent") {
    const agent = rows.agent(row.principal_id);
    return agent === null || agent.revokedAtMs !== null ? null : { agent };
  }
  const person = rows.person(row.principal_id);
  return person === null || person.revokedAtMs !== null ? null : { person };
}

function principalStatements(db: DatabaseSync) {
  return {
    insertAgent: prepare(db, "insert into agents (id, owner_id, added_at_ms) values (:id, :owner, :now)"),
    insertPerson: prepare(db, "insert into people (id, roles, added_at_ms) values (:id, :roles, :now)"),
    revokeAgent: prepare(
      db,
      "update agents set revoked_at_ms = :now where id = :id and revoked_at_ms is null",
    ),
  };
}

function principalCommands(
  deps: PrincipalsDeps,
): Pick<PrincipalStore, "addAgent" | "revokeAgent" | "addPerson"> {
  const { commits, rows, credentials, ledger, writer } = deps;
  const statements = principalStatements(deps.db);

  function refuseTakenId(id: string): void {
    const taken = rows.agent(id) !== null ? "an agent" : rows.person(id) !== null ? "a person" : null;
    if (taken === null) return;
    throw new AtlasError(
      "resource.conflict",
      `There is ${taken} with the id ${id} already, in use or revoked. Choose another id: one id never means two principals.`,
    );
  }

  return {
    addAgent: ({ id, ownerId, keySha256, by }) =>
      commits.run((tx) => {
        requireAdmin(by, rows);
        refuseTakenId(id);
        const owner = rows.person(ownerId);
        if (owner === null || owner.revokedAtMs !== null) {
          throw new AtlasError(
            "resource.not_found",
            `There is no person ${ownerId} to own the agent ${id}. Add the person first.`,
          );
        }
        statements.insertAgent.run({ id, owner: ownerId, now: tx.nowMs });
        if (keySha256 !== null) credentials.add({ sha256: keySha256, kind: "agent", id, nowMs: tx.nowMs });
        const details = { agent: id, owner: ownerId };
        ledger.append({ type: "agent.added", actor: administrator(by, writer), details }, tx.nowMs);
      }),
    revokeAgent: ({ id, by }) =>
      commits.run((tx) => {
        requireAdmin(by, rows);
        if (statements.revokeAgent.run({ id, now: tx.nowMs }) === 0) return false;
        credentials.revokeAll("agent", id, tx.nowMs);
        ledger.append(
          { type: "agent.revoked", actor: administrator(by, writer), details: { agent: id } },
          tx.nowMs,
        );
        return true;
      }),
    addPerson: ({ id, roles, tokenSha256, by }) =>
      commits.run((tx) => {
        requireAdmin(by, rows);
        refuseTakenId(id);
        statements.insertPerson.run({ id, roles: rolesToText(roles), now: tx.nowMs });
        if (tokenSha256 !== null)
          credentials.add({ sha256: tokenSha256, kind: "person", id, nowMs: tx.nowMs });
        const details = { person: id, roles: [...new Set(roles)].sort() };
        ledger.append({ type: "person.added", actor: administrator(by, writer), details }, tx.nowMs);
      }),
  };
}
