import { sha256 } from "../domain/digest.ts";
import type { CaseRef, Sha256Hex, WriterId } from "../domain/ids.ts";
import { canonicalJson, type JsonValue } from "../domain/jcs.ts";
import type { Actor } from "../domain/principal.ts";

/**
 * What one event says. Ids, states, reason ids, hashes and salted commitments only: arguments,
 * reasons, rationales and names stay in tables that can be erased without breaking a hash.
 */
export interface LedgerEntry {
  /** A transition's name, or `call.refused`, `writer.started`, `ledger.gap`, … */
  readonly type: string;
  readonly case?: CaseRef;
  readonly actor: Actor;
  readonly details: { readonly [key: string]: JsonValue | undefined };
}

/** Where an entry stands in its writer's chain. */
export interface LedgerPosition {
  readonly writer: WriterId;
  /** 1 for the writer's first event, without holes. */
  readonly sequence: number;
  /** Hash of the writer's previous event; null for its first. */
  readonly previousHash: Sha256Hex | null;
  readonly atMs: number;
}

/** An event as it is stored: the bytes are authoritative, everything else can be read from them. */
export interface SealedEvent {
  readonly position: LedgerPosition;
  readonly entry: LedgerEntry;
  /** RFC 8785 JSON, stored and hashed verbatim. */
  readonly bytes: string;
  readonly hash: Sha256Hex;
}

/** Version of the event format; raised when a reader of the old one could misread the new one. */
const EVENT_FORMAT = 1;

/** Puts an entry into its place in the chain: the previous hash is inside the hashed bytes. */
export function sealEvent(entry: LedgerEntry, position: LedgerPosition): SealedEvent {
  const bytes = canonicalJson({
    v: EVENT_FORMAT,
    writer: position.writer,
    seq: position.sequence,
    prev: position.previousHash,
    at: new Date(position.atMs).toISOString(),
    type: entry.type,
    case: entry.case,
    actor: { kind: entry.actor.kind, id: entry.actor.id },
    details: entry.details,
  });
  return { position, entry, bytes, hash: sha256(bytes) };
}
