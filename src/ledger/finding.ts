import type { CaseRef, WriterId } from "../domain/ids.ts";

/** What can be wrong with a ledger. */
export type FindingId =
  /** Bytes, hash and row of an event do not agree. */
  | "event.damaged"
  /** A chain has a hole, or an event that does not continue the one before. */
  | "chain.broken"
  /** A chain was begun with a key that is not trusted. */
  | "key.unknown"
  | "head.forged"
  /** A genuine head vouches for an event that is not there. */
  | "head.dangling"
  /** A start names the end of an earlier chain that is not there. */
  | "join.broken"
  /** A start joined a chain that a crash cut off, and does not say so. */
  | "gap.missing"
  /** A case went where no transition leads. */
  | "case.order"
  /** A case ran without an authorization, or more than once on one. */
  | "case.run"
  /** A row says something else than the last event of its case. */
  | "case.row"
  /** A kept text is not the one that was committed to. */
  | "payload.changed"
  /** A text that was committed to is gone, and no event says that it was erased. */
  | "payload.missing";

export interface Finding {
  readonly id: FindingId;
  /** What is wrong, with what. */
  readonly sentence: string;
  readonly where: {
    readonly writer?: WriterId;
    readonly sequence?: number;
    readonly ref?: CaseRef;
  };
}

export function finding(id: FindingId, where: Finding["where"], sentence: string): Finding {
  return { id, where, sentence };
}
