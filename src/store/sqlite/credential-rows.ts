import type { DatabaseSync } from "node:sqlite";
import { AtlasError } from "../../domain/errors.ts";
import type { Sha256Hex } from "../../domain/ids.ts";
import type { CredentialRow } from "../database.ts";
import { prepare } from "./connection.ts";

type PrincipalKind = CredentialRow["principal_kind"];

/** Agents' keys and people's tokens as their rows are now; written inside transactions. */
export interface CredentialRows {
  /** One that opens something. */
  find(sha256: Sha256Hex): CredentialRow | null;
  /** Ids of the people who hold a token. */
  tokenHolders(): readonly string[];
  /** @throws AtlasError `resource.conflict` when the credential was ever issued before. */
  add(params: { sha256: Sha256Hex; kind: PrincipalKind; id: string; nowMs: number }): void;
  revokeAll(kind: PrincipalKind, id: string, nowMs: number): void;
}

export function createCredentialRows(db: DatabaseSync): CredentialRows {
  const find = prepare<CredentialRow>(
    db,
    "select * from credentials where sha256 = :sha256 and revoked_at_ms is null",
  );
  const exists = prepare<{ sha256: string }>(db, "select sha256 from credentials where sha256 = :sha256");
  const holders = prepare<{ id: string }>(
    db,
    `select distinct principal_id as id from credentials
     where principal_kind = 'person' and revoked_at_ms is null`,
  );
  const insert = prepare(
    db,
    `insert into credentials (sha256, principal_kind, principal_id, created_at_ms) values (:sha256, :kind, :id, :now)`,
  );
  const revoke = prepare(
    db,
    `update credentials set revoked_at_ms = :now
     where principal_kind = :kind and principal_id = :id and revoked_at_ms is null`,
  );
  return {
    find: (sha256) => find.get({ sha256 }) ?? null,
    tokenHolders: () => holders.all().map(({ id }) => id),
    add({ sha256, kind, id, nowMs }) {
      if (exists.get({ sha256 }) !== undefined) {
        throw new AtlasError(
          "resource.conflict",
          `The credential for ${id} is in use or was used before. Issue a new one.`,
        );
      }
      insert.run({ sha256, kind, id, now: nowMs });
    },
    revokeAll: (kind, id, nowMs) => void revoke.run({ kind, id, now: nowMs }),
  };
}
