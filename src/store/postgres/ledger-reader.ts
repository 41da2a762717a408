import type { StoredCase, StoredPayload } from "../../ledger/case-check.ts";
import type { StoredEvent } from "../../ledger/chain.ts";
import type { StoredImport } from "../../ledger/import-check.ts";
import type { LedgerRows } from "../../ledger/verify.ts";
import type { Parameters } from "../commands/statement.ts";
import type { LedgerHeadRow } from "../database.ts";
import { rowToHead } from "../ledger-codec.ts";
import { loadDriver } from "./driver.ts";
import { openSession, type Session } from "./session.ts";

/** Rows of one page; what a verification holds in memory at a time. */
const PAGE = 2000;

const EVENTS =
  "select id, writer, sequence, ref, hash, bytes from ledger_events where id > :after order by id limit :limit";
const CASES = `select ref, state, reason_id as "reasonId" from cases where ref > :after order by ref limit :limit`;
const PAYLOADS = `select ref, kind, salt, text from payloads where (ref, kind) > (:ref, :kind) order by ref, kind limit :limit`;

const IMPORTS = "select id, salt, text from imported_entries where id > :after order by id limit :limit";

/**
 * Opens the ledger for reading. Everything read is of the same moment, whatever gateways write meanwhile.
 *
 * @throws AtlasError `store.failed` when the database cannot be reached
 */
export async function withPostgresLedger<Answer>(
  url: string,
  use: (rows: LedgerRows) => Promise<Answer>,
): Promise<Answer> {
  const session = await openSession(await loadDriver(), { url, name: "atlas ledger" });
  try {
    await session.exec("begin isolation level repeatable read read only");
    const { rows: heads } = await session.exec("select * from ledger_heads order by writer");
    return await use({
      events: pages<StoredEvent & { id: number }>(session, EVENTS, { after: 0 }, ({ id }) => ({ after: id })),
      heads: (heads as readonly LedgerHeadRow[]).map(rowToHead),
      cases: pages<StoredCase>(session, CASES, { after: "" }, ({ ref }) => ({ after: ref })),
      payloads: pages<StoredPayload>(session, PAYLOADS, { ref: "", kind: "" }, ({ ref, kind }) => ({
        ref,
        kind,
      })),
      imports: pages<StoredImport & { id: string }>(session, IMPORTS, { after: "" }, ({ id }) => ({
        after: id,
      })),
    });
  } finally {
    await session.close();
  }
}

/** Rows in the order of a key, page after page. */
async function* pages<Row>(
  session: Session,
  sql: string,
  first: Parameters,
  after: (row: Row) => Parameters,
): AsyncGenerator<Row> {
  let position = first;
  for (;;) {
    const { rows } = await session.ask({ sql, parameters: { ...position, limit: PAGE } });
    const page = rows as readonly Row[];
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    position = after(last);
  }
}
