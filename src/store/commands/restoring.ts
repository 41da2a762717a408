import { type CaseRef, type RandomBytes, randomHex, type WriterId } from "../../domain/ids.ts";
import type { RestoreStore } from "../../governance/restore-ports.ts";
import { planRestored } from "../../governance/transitions/restoring.ts";
import { administrator } from "../administrator.ts";
import type { CaseRows } from "./case-rows.ts";
import { type Commits, OF_GUARDS } from "./commits.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import { statement } from "./statement.ts";

export interface RestoringDeps {
  readonly commits: Commits;
  readonly rows: CaseRows;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly writer: WriterId;
  readonly random: RandomBytes;
}

export function createRestoring({ commits, rows, ledger, writer, random }: RestoringDeps): RestoreStore {
  const open = statement<{ ref: CaseRef }>(
    `select ref from cases where finished_at_ms is null and (state = 'EXECUTING'
       or state in ('ASSESSING', 'AWAITING_REVIEW', 'AUTHORIZED') and reason_id <> 'restore.uncertain')
     order by opened_at_ms, ref limit :limit`,
  );
  const signEverybodyOut = statement("delete from sessions");
  return {
    reviewOpenCases: ({ limit, reviewForMs }) =>
      commits.run(OF_GUARDS, function* (tx) {
        const found = yield* open.all({ limit });
        for (const { ref } of found) {
          const current = yield* rows.find(ref);
          if (current === null) continue;
          const params = { writer, newNonce: randomHex(16, random), reviewForMs };
          const writes = planRestored(current, tx.nowMs, params);
          if (writes !== null) yield* rows.carryOut(writes, tx);
        }
        return found.length;
      }),
    recordRestored: ({ backupSha256, throughMs, cases }) =>
      commits.run(OF_GUARDS, function* (tx) {
        const sessions = yield* signEverybodyOut.run();
        const details = {
          backup_sha256: backupSha256,
          through: new Date(throughMs).toISOString(),
          cases,
          sessions,
        };
        yield* ledger.append(
          { type: "record.restored", actor: administrator(null, writer), details },
          tx.nowMs,
        );
      }),
  };
}
