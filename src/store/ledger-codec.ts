import type { SignedHead } from "../ledger/head.ts";
import type { LedgerHeadRow } from "./database.ts";

type JoinedHead = {
  readonly [Column in keyof LedgerHeadRow as `head_${Column}`]: LedgerHeadRow[Column] | null;
};

export function rowToHead(row: LedgerHeadRow): SignedHead {
  return {
    writer: row.writer,
    sequence: row.sequence,
    hash: row.hash,
    atMs: row.signed_at_ms,
    signature: row.signature,
    keyId: row.key_id,
  };
}

/** The head of an outer join; null when the writer has none. */
export function headOfRow(row: JoinedHead): SignedHead | null {
  if (
    row.head_writer === null ||
    row.head_sequence === null ||
    row.head_hash === null ||
    row.head_signed_at_ms === null ||
    row.head_signature === null ||
    row.head_key_id === null
  ) {
    return null;
  }
  return {
    writer: row.head_writer,
    sequence: row.head_sequence,
    hash: row.head_hash,
    atMs: row.head_signed_at_ms,
    signature: row.head_signature,
    keyId: row.head_key_id,
  };
}
