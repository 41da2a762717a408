import type { CaseRef, WriterId } from "../../domain/ids.ts";
import type { ErasureParams, ErasureScope, ErasureStore } from "../../governance/ports.ts";
import { administrator } from "../administrator.ts";
import { type Commits, OF_GUARDS, type Reads } from "./commits.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import { statement } from "./statement.ts";

export interface ErasureDeps {
  readonly commits: Commits;
  readonly reads: Reads;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly writer: WriterId;
}

/** Ended cases of each scope whose time is over; a case that has not ended has no `finished_at_ms`. */
const OVER: Readonly<Record<ErasureScope, string>> = {
  texts: "from cases c where c.finished_at_ms < :before and c.texts_erased_at_ms is null",
  results: `from payloads p join cases c on c.ref = p.ref where p.kind = 'result' and c.finished_at_ms < :before`,
};

/** Erases texts together with the salts of their commitments: without those nobody can tell what a hash stood for. */
export function createErasure({ commits, reads, ledger, writer }: ErasureDeps): ErasureStore {
  const over = {
    texts: statement<{ ref: CaseRef }>(
      `select c.ref as ref ${OVER.texts} order by c.finished_at_ms limit :limit`,
    ),
    results: statement<{ ref: CaseRef }>(`select c.ref as ref ${OVER.results} order by p.ref limit :limit`),
  };
  const count = {
    texts: statement<{ count: number }>(`select count(*) as count ${OVER.texts}`),
    results: statement<{ count: number }>(`select count(*) as count ${OVER.results}`),
  };
  const noteResult = statement(`update cases set result_erased_at_ms = :now
     where ref = :ref and exists (select 1 from payloads p where p.ref = cases.ref and p.kind = 'result')`);
  const noteTexts = statement("update cases set texts_erased_at_ms = :now where ref = :ref");
  const remove = {
    texts: statement("delete from payloads where ref = :ref"),
    results: statement("delete from payloads where ref = :ref and kind = 'result'"),
  };

  return {
    eraseExpired: ({ scope, endedBeforeMs, limit }: ErasureParams) =>
      commits.run(OF_GUARDS, function* (tx) {
        const found = yield* over[scope].all({ before: endedBeforeMs, limit });
        const refs = found.map(({ ref }) => ref);
        let texts = 0;
        for (const ref of refs) {
          yield* noteResult.send({ ref, now: tx.nowMs });
          if (scope === "texts") yield* noteTexts.send({ ref, now: tx.nowMs });
          texts += yield* remove[scope].run({ ref });
        }
        if (refs.length > 0) {
          const details = { scope, ended_before: new Date(endedBeforeMs).toISOString(), texts, cases: refs };
          yield* ledger.append(
            { type: "payloads.erased", actor: administrator(null, writer), details },
            tx.nowMs,
          );
        }
        return { cases: refs.length, texts };
      }),
    countExpired: ({ scope, endedBeforeMs }) =>
      reads(
        (function* () {
          return (yield* count[scope].get({ before: endedBeforeMs }))?.count ?? 0;
        })(),
      ),
  };
}
