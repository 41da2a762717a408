import type { KeyObject } from "node:crypto";
import { checkLink, type StoredEvent } from "./chain.ts";
import { isHeadGenuine, type SignedHead } from "./head.ts";

export interface VerifyTailParams {
  /** The newest events in the order of their commits. */
  readonly events: Iterable<StoredEvent>;
  readonly heads: Iterable<SignedHead>;
  readonly publicKey: KeyObject;
}

export interface TailReport {
  readonly events: number;
  /** One phrase for each thing that is wrong. */
  readonly problems: readonly string[];
}

/**
 * A quick look at the end of the ledger: each event's hash and its link to the one before, and every signature. What lies
 * before the given events, and where cases went, only `verifyLedger` sees.
 */
export function verifyTail(params: VerifyTailParams): TailReport {
  const problems: string[] = [];
  const previous = new Map<string, StoredEvent>();
  const hashes = new Map<string, string>();
  let count = 0;
  for (const event of params.events) {
    count += 1;
    const before = previous.get(event.writer);
    // The first event seen of a chain has its predecessor outside the tail.
    const problem = before === undefined && event.sequence > 1 ? undefined : checkLink(before, event);
    if (problem !== undefined) problems.push(`${event.writer}: ${problem}`);
    previous.set(event.writer, event);
    hashes.set(`${event.writer}/${event.sequence}`, event.hash);
  }
  for (const head of params.heads) {
    const at = `the head of ${head.writer} at event ${head.sequence}`;
    if (!isHeadGenuine(head, params.publicKey)) problems.push(`${at} is not signed by this key`);
    const hash = hashes.get(`${head.writer}/${head.sequence}`);
    const last = previous.get(head.writer);
    if (hash !== undefined && hash !== head.hash) problems.push(`${at} vouches for another event`);
    if (last !== undefined && last.sequence < head.sequence)
      problems.push(`${at} vouches for a missing event`);
  }
  return { events: count, problems };
}
