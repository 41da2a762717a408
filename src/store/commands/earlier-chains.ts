import { createPublicKey, type KeyObject } from "node:crypto";
import { AtlasError } from "../../domain/errors.ts";
import type { WriterId } from "../../domain/ids.ts";
import { checkLink, readEvent, type StoredEvent } from "../../ledger/chain.ts";
import { type ChainHead, isHeadGenuine } from "../../ledger/head.ts";
import { keyIdOf } from "../../ledger/signing-key.ts";
import type { LedgerHeadRow, LedgerWriterRow } from "../database.ts";
import { headOfRow } from "../ledger-codec.ts";
import { type Steps, statement } from "./statement.ts";

/** A chain of an earlier process, checked and ready to be named in our first event. */
export interface JoinedChain extends ChainHead {
  /** It ended with `writer.stopped`. */
  readonly stopped: boolean;
  /** How far a signature covers it; 0 when none does. */
  readonly signedSequence: number;
}

type WriterWithHead = LedgerWriterRow & {
  readonly [Column in keyof LedgerHeadRow as `head_${Column}`]: LedgerHeadRow[Column] | null;
};

/**
 * The chains that grew since a later writer joined them. What a signed head covers is taken as
 * checked (`verify` checks it in full); everything after it is checked here, so a start takes no longer than what was
 * written in the last second before a crash needs.
 *
 * @throws AtlasError `ledger.broken` when a chain is shorter than a head or a join says, or does not link.
 */
export function* chainsToJoin(signingKey: KeyObject): Steps<readonly JoinedChain[]> {
  const publicKey = createPublicKey(signingKey);
  const writers =
    yield* statement<WriterWithHead>(`select w.*, h.writer as head_writer, h.sequence as head_sequence, h.hash as head_hash,
            h.signed_at_ms as head_signed_at_ms, h.signature as head_signature, h.key_id as head_key_id
     from ledger_writers w left join ledger_heads h on h.writer = w.writer order by w.started_at_ms, w.writer`).all();
  const joined: JoinedChain[] = [];
  for (const row of writers) {
    const signedSequence = checkedHead(row, publicKey);
    const from = Math.max(signedSequence, row.joined_sequence, 1);
    const end = yield* walk(row.writer, from);
    if (row.head_sequence === from && row.head_hash !== end.firstHash) {
      throw broken(row.writer, `event ${from} is not the one that was signed`);
    }
    if (end.sequence > row.joined_sequence) joined.push({ ...end, signedSequence });
  }
  return joined;
}

/** Sequence that a genuine head vouches for. Heads under an earlier key cannot be checked here, so their chain is walked instead. */
function checkedHead(row: WriterWithHead, publicKey: KeyObject): number {
  const head = headOfRow(row);
  if (head === null || head.keyId !== keyIdOf(publicKey)) return 0;
  if (!isHeadGenuine(head, publicKey)) throw broken(row.writer, "the signature of its head is wrong");
  return head.sequence;
}

function* walk(writer: WriterId, from: number) {
  let previous: StoredEvent | undefined;
  let first: StoredEvent | undefined;
  for (let page = yield* eventsFrom(writer, from); page.length > 0; ) {
    for (const event of page) {
      const problem = from > 1 && previous === undefined ? unreadable(event) : checkLink(previous, event);
      if (problem !== undefined) throw broken(writer, problem);
      first ??= event;
      previous = event;
    }
    page = previous === undefined ? [] : yield* eventsFrom(writer, previous.sequence + 1);
  }
  if (previous === undefined || first?.sequence !== from) throw broken(writer, `event ${from} is missing`);
  const last = readEvent(previous);
  return {
    writer,
    sequence: previous.sequence,
    hash: previous.hash,
    firstHash: first.hash,
    stopped: last.ok && last.value.type === "writer.stopped",
  };
}

const PAGE = 1000;
const EVENTS_FROM = statement<StoredEvent>(
  `select writer, sequence, ref, hash, bytes from ledger_events
   where writer = :writer and sequence >= :from order by sequence limit :limit`,
);

function eventsFrom(writer: WriterId, from: number): Steps<readonly StoredEvent[]> {
  return EVENTS_FROM.all({ writer, from, limit: PAGE });
}

function unreadable(event: StoredEvent): string | undefined {
  const read = readEvent(event);
  return read.ok ? undefined : read.failure;
}

function broken(writer: WriterId, problem: string): AtlasError {
  return new AtlasError(
    "ledger.broken",
    `The ledger's chain of ${writer} is broken: ${problem}. Verify the ledger and restore the database from a backup before anything else is written.`,
  );
}
