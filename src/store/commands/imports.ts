import { commitment } from "../../domain/digest.ts";
import { type RandomBytes, randomHex, type WriterId } from "../../domain/ids.ts";
import type { ImportStore } from "../../governance/import-ports.ts";
import { administrator } from "../administrator.ts";
import { type Commits, OF_GUARDS } from "./commits.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import { statement } from "./statement.ts";

export interface ImportsDeps {
  readonly commits: Commits;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly writer: WriterId;
  readonly random: RandomBytes;
}

export function createImports({ commits, ledger, writer, random }: ImportsDeps): ImportStore {
  const find = statement<{ id: string }>("select id from imported_entries where id = :id");
  const insert = statement(
    `insert into imported_entries (id, at_ms, imported_at_ms, salt, text) values (:id, :at, :now, :salt, :text)`,
  );
  const over = statement<{ id: string }>(
    `select id from imported_entries where text is not null and coalesce(at_ms, imported_at_ms) < :before order by id limit :limit`,
  );
  const erase = statement("update imported_entries set salt = null, text = null where id = :id");
  return {
    importEntries: ({ sourceSha256, entries }) =>
      commits.run(OF_GUARDS, function* (tx) {
        const committed: string[] = [];
        for (const { id, atMs, text } of entries) {
          if ((yield* find.get({ id })) !== undefined) continue;
          const salt = randomHex(16, random);
          yield* insert.send({ id, at: atMs, now: tx.nowMs, salt, text });
          committed.push(commitment(salt, text));
        }
        if (committed.length === 0) return 0;
        const details = { source_sha256: sourceSha256, commitments: committed };
        yield* ledger.append(
          { type: "audit.imported", actor: administrator(null, writer), details },
          tx.nowMs,
        );
        return committed.length;
      }),
    eraseImported: ({ beforeMs, limit }) =>
      commits.run(OF_GUARDS, function* (tx) {
        const found = yield* over.all({ before: beforeMs, limit });
        for (const { id } of found) yield* erase.send({ id });
        if (found.length === 0) return 0;
        const details = { before: new Date(beforeMs).toISOString(), entries: found.length };
        yield* ledger.append({ type: "audit.erased", actor: administrator(null, writer), details }, tx.nowMs);
        return found.length;
      }),
  };
}
