import type { DatabaseSync } from "node:sqlite";
import { AtlasError } from "../../domain/errors.ts";
import type { Sha256Hex, WriterId } from "../../domain/ids.ts";
import type { PrincipalStore } from "../../governance/ports.ts";
import { administrator } from "../administrator.ts";
import type { CredentialRow } from "../database.ts";
import { rolesToText } from "../principal-codec.ts";
import { prepare } from "./connection.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { PrincipalRows } from "./principal-rows.ts";
import type { Reads } from "./reads.ts";

export interface PrincipalsDeps {
  readonly db: DatabaseSync;
  readonly commits: GroupCommit;
  readonly reads: Reads;
  readonly rows: PrincipalRows;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly writer: WriterId;
}

export function createPrincipals(deps: PrincipalsDeps): PrincipalStore {
  const { rows, reads } = deps;
  const credential = prepare<CredentialRow>(
    deps.db,
    "select * from credentials where sha256 = :sha256 and revoked_at_ms is null",
  );
  return {
    ...principalCommands(deps),
    findByCredential: (sha256) =>
      reads(() => {
        const row = credential.get({ sha256 });
        return row === undefined ? null : holderOf(row, rows);
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
    insertCredential: prepare(
      db,
      `insert into credentials (sha256, principal_kind, principal_id, created_at_ms) values (:sha256, :kind, :id, :now)`,
    ),
    credentialExists: prepare<{ sha256: string }>(
      db,
      "select sha256 from credentials where sha256 = :sha256",
    ),
    revokeAgent: prepare(
      db,
      "update agents set revoked_at_ms = :now where id = :id and revoked_at_ms is null",
    ),
    revokeCredentials: prepare(
      db,
      `update credentials set revoked_at_ms = :now
       where principal_kind = :kind and principal_id = :id and revoked_at_ms is null`,
    ),
  };
}

function principalCommands(
  deps: PrincipalsDeps,
): Pick<PrincipalStore, "addAgent" | "revokeAgent" | "addPerson"> {
  const { commits, rows, ledger, writer } = deps;
  const statements = principalStatements(deps.db);

  function refuseTakenId(id: string): void {
    const taken = rows.agent(id) !== null ? "an agent" : rows.person(id) !== null ? "a person" : null;
    if (taken === null) return;
    throw new AtlasError(
      "resource.conflict",
      `There is ${taken} with the id ${id} already, in use or revoked. Choose another id: one id never means two principals.`,
    );
  }

  function addCredential(
    sha256: Sha256Hex,
    kind: CredentialRow["principal_kind"],
    id: string,
    now: number,
  ): void {
    if (statements.credentialExists.get({ sha256 }) !== undefined) {
      throw new AtlasError(
        "resource.conflict",
        `The credential for ${id} is in use or was used before. Issue a new one.`,
      );
    }
    statements.insertCredential.run({ sha256, kind, id, now });
  }

  return {
    addAgent: ({ id, ownerId, keySha256, by }) =>
      commits.run((tx) => {
        refuseTakenId(id);
        if (rows.person(ownerId) === null) {
          throw new AtlasError(
            "resource.not_found",
            `There is no person ${ownerId} to own the agent ${id}. Add the person first.`,
          );
        }
        statements.insertAgent.run({ id, owner: ownerId, now: tx.nowMs });
        addCredential(keySha256, "agent", id, tx.nowMs);
        const details = { agent: id, owner: ownerId };
        ledger.append({ type: "agent.added", actor: administrator(by, writer), details }, tx.nowMs);
      }),
    revokeAgent: ({ id, by }) =>
      commits.run((tx) => {
        if (statements.revokeAgent.run({ id, now: tx.nowMs }) === 0) return false;
        statements.revokeCredentials.run({ kind: "agent", id, now: tx.nowMs });
        ledger.append(
          { type: "agent.revoked", actor: administrator(by, writer), details: { agent: id } },
          tx.nowMs,
        );
        return true;
      }),
    addPerson: ({ id, roles, tokenSha256, by }) =>
      commits.run((tx) => {
        refuseTakenId(id);
        statements.insertPerson.run({ id, roles: rolesToText(roles), now: tx.nowMs });
        if (tokenSha256 !== null) addCredential(tokenSha256, "person", id, tx.nowMs);
        const details = { person: id, roles: [...new Set(roles)].sort() };
        ledger.append({ type: "person.added", actor: administrator(by, writer), details }, tx.nowMs);
      }),
  };
}
