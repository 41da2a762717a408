import { AtlasError } from "../../domain/errors.ts";
import type { Sha256Hex } from "../../domain/ids.ts";
import type { CredentialRow } from "../database.ts";
import { type Steps, statement } from "./statement.ts";

type PrincipalKind = CredentialRow["principal_kind"];

/** Agents' keys and people's tokens as their rows are now; written inside transactions. */
export interface CredentialRows {
  /** One that opens something. */
  find(sha256: Sha256Hex): Steps<CredentialRow | null>;
  /** Ids of the people who hold a token. */
  tokenHolders(): Steps<readonly string[]>;
  /** @throws AtlasError `resource.conflict` when the credential was ever issued before. */
  add(params: { sha256: Sha256Hex; kind: PrincipalKind; id: string; nowMs: number }): Steps<void>;
  revokeAll(kind: PrincipalKind, id: string, nowMs: number): Steps<void>;
}

export function createCredentialRows(): CredentialRows {
  const find = statement<CredentialRow>(
    "select * from credentials where sha256 = :sha256 and revoked_at_ms is null",
  );
  const exists = statement<{ sha256: string }>("select sha256 from credentials where sha256 = :sha256");
  const holders = statement<{ id: string }>(`select distinct principal_id as id from credentials
     where principal_kind = 'person' and revoked_at_ms is null`);
  const insert = statement(
    `insert into credentials (sha256, principal_kind, principal_id, created_at_ms) values (:sha256, :kind, :id, :now)`,
  );
  const revoke = statement(`update credentials set revoked_at_ms = :now
     where principal_kind = :kind and principal_id = :id and revoked_at_ms is null`);
  return {
    *find(sha256) {
      return (yield* find.get({ sha256 })) ?? null;
    },
    *tokenHolders() {
      return (yield* holders.all()).map(({ id }) => id);
    },
    *add({ sha256, kind, id, nowMs }) {
      if ((yield* exists.get({ sha256 })) !== undefined) {
        throw new AtlasError(
          "resource.conflict",
          `The credential for ${id} is in use or was used before. Issue a new one.`,
        );
      }
      yield* insert.send({ sha256, kind, id, now: nowMs });
    },
    revokeAll: (kind, id, nowMs) => revoke.send({ kind, id, now: nowMs }),
  };
}
