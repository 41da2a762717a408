import { AtlasError } from "../../domain/errors.ts";
import type { WriterId } from "../../domain/ids.ts";
import type { Agent, Person } from "../../domain/principal.ts";
import type { PrincipalStore } from "../../governance/ports.ts";
import { administrator, requireAdmin } from "../administrator.ts";
import type { CredentialRow } from "../database.ts";
import { rolesToText } from "../principal-codec.ts";
import { type Commits, OF_GUARDS, type Reads } from "./commits.ts";
import type { CredentialRows } from "./credential-rows.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { PrincipalRows } from "./principal-rows.ts";
import { type Steps, statement } from "./statement.ts";

export interface PrincipalsDeps {
  readonly commits: Commits;
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
      reads(
        (function* () {
          const row = yield* credentials.find(sha256);
          return row === null ? null : yield* holderOf(row, rows);
        })(),
      ),
    getAgent: (id) => reads(rows.agent(id)),
    getPerson: (id) => reads(rows.person(id)),
    listAgents: () => reads(rows.agents()),
    listPeople: () => reads(rows.people()),
  };
}

/** A revoked principal holds nothing, whatever its credential's row says. */
function* holderOf(
  row: CredentialRow,
  rows: PrincipalRows,
): Steps<{ readonly agent: Agent } | { readonly person: Person } | null> {
  if (row.principal_kind === "agent") {
    const agent = yield* rows.agent(row.principal_id);
    return agent === null || agent.revokedAtMs !== null ? null : { agent };
  }
  const person = yield* rows.person(row.principal_id);
  return person === null || person.revokedAtMs !== null ? null : { person };
}

function principalStatements() {
  return {
    insertAgent: statement("insert into agents (id, owner_id, added_at_ms) values (:id, :owner, :now)"),
    insertPerson: statement("insert into people (id, roles, added_at_ms) values (:id, :roles, :now)"),
    revokeAgent: statement("update agents set revoked_at_ms = :now where id = :id and revoked_at_ms is null"),
  };
}

function principalCommands(
  deps: PrincipalsDeps,
): Pick<PrincipalStore, "addAgent" | "revokeAgent" | "addPerson"> {
  const { commits, rows, credentials, ledger, writer } = deps;
  const statements = principalStatements();

  function* refuseTakenId(id: string): Steps<void> {
    const agent = yield* rows.agent(id);
    const person = yield* rows.person(id);
    const taken = agent !== null ? "an agent" : person !== null ? "a person" : null;
    if (taken === null) return;
    throw new AtlasError(
      "resource.conflict",
      `There is ${taken} with the id ${id} already, in use or revoked. Choose another id: one id never means two principals.`,
    );
  }

  return {
    addAgent: ({ id, ownerId, keySha256, by }) =>
      commits.run(OF_GUARDS, function* (tx) {
        yield* requireAdmin(by, rows);
        yield* refuseTakenId(id);
        const owner = yield* rows.person(ownerId);
        if (owner === null || owner.revokedAtMs !== null) {
          throw new AtlasError(
            "resource.not_found",
            `There is no person ${ownerId} to own the agent ${id}. Add the person first.`,
          );
        }
        yield* statements.insertAgent.send({ id, owner: ownerId, now: tx.nowMs });
        if (keySha256 !== null)
          yield* credentials.add({ sha256: keySha256, kind: "agent", id, nowMs: tx.nowMs });
        const details = { agent: id, owner: ownerId };
        yield* ledger.append({ type: "agent.added", actor: administrator(by, writer), details }, tx.nowMs);
      }),
    revokeAgent: ({ id, by }) =>
      commits.run(OF_GUARDS, function* (tx) {
        yield* requireAdmin(by, rows);
        if ((yield* statements.revokeAgent.run({ id, now: tx.nowMs })) === 0) return false;
        yield* credentials.revokeAll("agent", id, tx.nowMs);
        yield* ledger.append(
          { type: "agent.revoked", actor: administrator(by, writer), details: { agent: id } },
          tx.nowMs,
        );
        return true;
      }),
    addPerson: ({ id, roles, tokenSha256, by }) =>
      commits.run(OF_GUARDS, function* (tx) {
        yield* requireAdmin(by, rows);
        yield* refuseTakenId(id);
        yield* statements.insertPerson.send({ id, roles: rolesToText(roles), now: tx.nowMs });
        if (tokenSha256 !== null)
          yield* credentials.add({ sha256: tokenSha256, kind: "person", id, nowMs: tx.nowMs });
        const details = { person: id, roles: [...new Set(roles)].sort() };
        yield* ledger.append({ type: "person.added", actor: administrator(by, writer), details }, tx.nowMs);
      }),
  };
}
