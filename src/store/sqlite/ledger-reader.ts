import type { StoredCase, StoredPayload } from "../../ledger/case-check.ts";
import type { StoredEvent } from "../../ledger/chain.ts";
import type { SignedHead } from "../../ledger/head.ts";
import type { StoredImport } from "../../ledger/import-check.ts";
import type { LedgerHeadRow } from "../database.ts";
import { rowToHead } from "../ledger-codec.ts";
import { openForReading, prepare } from "./connection.ts";

/** The ledger at one moment, read beside a running gateway. */
export interface LedgerReader {
  /** In the order of their commits. */
  events(): Iterable<StoredEvent>;
  /** The last one that was committed; undefined when there is none. */
  newestEvent(): StoredEvent | undefined;
  /** Events of one case, oldest first. */
  eventsOf(ref: string): readonly StoredEvent[];
  heads(): readonly SignedHead[];
  cases(): Iterable<StoredCase>;
  payloads(): Iterable<StoredPayload>;
  /** Entries of older audit logs. */
  imports(): Iterable<StoredImport>;
  close(): void;
}

/**
 * Opens the ledger read-only. Everything read through one reader is of the same moment, whatever the gateway
 * writes meanwhile; close it soon, for the write-ahead log grows until then.
 *
 * @throws AtlasError `store.failed` when there is no such database.
 */
export function openLedgerReader(path: string): LedgerReader {
  const db = openForReading(path);
  db.exec("begin");
  const events = "select writer, sequence, ref, hash, bytes from ledger_events";
  return {
    events: () => prepare<StoredEvent>(db, `${events} order by id`).iterate(),
    newestEvent: () => prepare<StoredEvent>(db, `${events} order by id desc limit 1`).get(),
    eventsOf: (ref) => prepare<StoredEvent>(db, `${events} where ref = :ref order by id`).all({ ref }),
    heads: () =>
      prepare<LedgerHeadRow>(db, "select * from ledger_heads order by writer").all().map(rowToHead),
    cases: () =>
      prepare<StoredCase>(db, "select ref, state, reason_id as reasonId from cases order by ref").iterate(),
    payloads: () =>
      prepare<StoredPayload>(db, "select ref, kind, salt, text from payloads order by ref").iterate(),
    imports() {
      const table = prepare(db, "select 1 from sqlite_master where name = 'imported_entries'").get();
      // A backup of an earlier version has none yet.
      return table === undefined
        ? []
        : prepare<StoredImport>(db, "select salt, text from imported_entries").iterate();
    },
    close() {
      db.exec("rollback");
      db.close();
    },
  };
}
