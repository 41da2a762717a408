import type { KeyObject } from "node:crypto";
import type { WriterId } from "../domain/ids.ts";
import { createCaseCheck, type StoredCase, type StoredPayload } from "./case-check.ts";
import { linkProblem, type ReadEvent, readEvent, type StoredEvent } from "./chain.ts";
import { type Finding, type FindingId, finding } from "./finding.ts";
import { isHeadGenuine, type SignedHead } from "./head.ts";
import { createImportCheck, type StoredImport } from "./import-check.ts";
import { joinsOf, type WriterJoin } from "./joins.ts";
import { keyIdOf } from "./signing-key.ts";

export interface VerifyLedgerParams {
  /** In the order of their commits; each chain is in its own order then. */
  readonly events: Iterable<StoredEvent>;
  /** The database's heads, and any that an auditor kept elsewhere: those show a tail that was cut off together with its head. */
  readonly heads: Iterable<SignedHead>;
  /** The key that the auditor trusts, from wherever it was published. */
  readonly publicKey: KeyObject;
  /** Rows to hold against the events; null leaves them out. */
  readonly cases: Iterable<StoredCase> | null;
  readonly payloads: Iterable<StoredPayload> | null;
  /** Entries of older audit logs; left out when they are not given. */
  readonly imports?: Iterable<StoredImport>;
}

export interface WriterReport {
  readonly writer: WriterId;
  readonly events: number;
  /** Up to this sequence a signature covers the chain, its own or one of a later writer that joined it; 0 when none does. */
  readonly signedThrough: number;
  /** It ended with `writer.stopped`: not by a crash, and not still running. */
  readonly stopped: boolean;
}

export interface LedgerReport {
  /** No findings. */
  readonly ok: boolean;
  readonly counts: {
    readonly events: number;
    readonly cases: number;
    readonly heads: number;
    readonly payloads: number;
    /** Chains that a later start found cut off by a crash. */
    readonly gaps: number;
  };
  readonly writers: readonly WriterReport[];
  readonly findings: readonly Finding[];
}

/** One writer's chain as it was read so far. */
interface Chain {
  readonly writer: WriterId;
  readonly hashes: Map<number, string>;
  last: { readonly sequence: number; readonly hash: StoredEvent["hash"] } | undefined;
  signedThrough: number;
  stopped: boolean;
}

/** What is read of a ledger, at one moment, from wherever it lies. */
export interface LedgerRows {
  readonly events: Iterable<StoredEvent> | AsyncIterable<StoredEvent>;
  readonly heads: Iterable<SignedHead>;
  readonly cases: Iterable<StoredCase> | AsyncIterable<StoredCase> | null;
  readonly payloads: Iterable<StoredPayload> | AsyncIterable<StoredPayload> | null;
  /** Entries of older audit logs; left out when they are not given. */
  readonly imports?: Iterable<StoredImport> | AsyncIterable<StoredImport>;
}

/**
 * Verifies the whole ledger without trusting the database it lies in: every hash, link, signature and join,
 * that every case went only where the table of transitions leads, and that the rows say what the events say.
 * What it cannot see is the end of the newest chain being cut off together with its head; a head kept elsewhere shows that.
 */
export function verifyLedger(params: VerifyLedgerParams): LedgerReport {
  const verification = begin(params);
  for (const event of params.events) verification.event(event);
  verification.eventsEnded();
  for (const row of params.cases ?? []) verification.case(row);
  if (params.cases !== null) verification.casesEnded();
  for (const payload of params.payloads ?? []) verification.payload(payload);
  if (params.payloads !== null) verification.payloadsEnded();
  for (const row of params.imports ?? []) verification.imported(row);
  if (params.imports !== undefined) verification.importsEnded();
  return verification.report();
}

/** The same of a ledger that comes over a network, row by row. */
export async function verifyStreamedLedger(
  rows: LedgerRows & Pick<VerifyLedgerParams, "publicKey">,
): Promise<LedgerReport> {
  const verification = begin(rows);
  for await (const event of rows.events) verification.event(event);
  verification.eventsEnded();
  for await (const row of rows.cases ?? []) verification.case(row);
  if (rows.cases !== null) verification.casesEnded();
  for await (const payload of rows.payloads ?? []) verification.payload(payload);
  if (rows.payloads !== null) verification.payloadsEnded();
  for await (const row of rows.imports ?? []) verification.imported(row);
  if (rows.imports !== undefined) verification.importsEnded();
  return verification.report();
}

/** Takes events, then rows of cases, then payloads, in that order. */
function begin(params: Pick<VerifyLedgerParams, "heads" | "publicKey">) {
  const findings: Finding[] = [];
  const add = (id: FindingId, where: Finding["where"], sentence: string) =>
    findings.push(finding(id, where, sentence));
  const heads = [...params.heads];
  const wanted = positionsOf(heads);
  const chains = new Map<string, Chain>();
  const joins: WriterJoin[] = [];
  const cases = createCaseCheck(add);
  const imports = createImportCheck();
  const counts = { events: 0, payloads: 0 };
  const gaps = new Set<string>();

  return {
    event(stored: StoredEvent): void {
      counts.events += 1;
      const chain = chainOf(chains, stored.writer);
      const event = checkEvent(chain, stored, add);
      if (wanted.has(`${stored.writer}/${stored.sequence}`)) chain.hashes.set(stored.sequence, stored.hash);
      chain.last = { sequence: stored.sequence, hash: stored.hash };
      if (event === undefined) return;
      chain.stopped = event.type === "writer.stopped";
      if (event.type === "ledger.gap") gaps.add(`${stored.writer}/${String(event.details["writer"])}`);
      if (event.type === "writer.started")
        joins.push(...checkStart(chains, stored, event, params.publicKey, add));
      cases.event(stored, event);
      imports.event(event);
    },
    eventsEnded(): void {
      for (const head of heads) checkHead(chains, head, params.publicKey, add);
      extendBySignedJoins(chains, joins);
      for (const join of joins) checkGap(chains, join, gaps, add);
    },
    case: (row: StoredCase): void => cases.row(row),
    casesEnded: (): void => cases.rowsEnded(),
    payload(payload: StoredPayload): void {
      counts.payloads += 1;
      cases.payload(payload);
    },
    payloadsEnded: (): void => cases.payloadsEnded(),
    imported: (row: StoredImport): void => imports.row(row),
    importsEnded(): void {
      for (const problem of imports.problems()) add("payload.changed", {}, problem);
    },
    report: (): LedgerReport => ({
      ok: findings.length === 0,
      counts: {
        events: counts.events,
        gaps: gaps.size,
        heads: heads.length,
        cases: cases.count(),
        payloads: counts.payloads,
      },
      writers: [...chains.values()].map((chain) => ({
        writer: chain.writer,
        events: chain.last?.sequence ?? 0,
        signedThrough: chain.signedThrough,
        stopped: chain.stopped,
      })),
      findings,
    }),
  };
}

type Add = (id: FindingId, where: Finding["where"], sentence: string) => void;

function positionsOf(heads: readonly SignedHead[]): ReadonlySet<string> {
  return new Set(heads.map((head) => `${head.writer}/${head.sequence}`));
}

function chainOf(chains: Map<string, Chain>, writer: WriterId): Chain {
  const known = chains.get(writer);
  if (known !== undefined) return known;
  const chain: Chain = { writer, hashes: new Map(), last: undefined, signedThrough: 0, stopped: false };
  chains.set(writer, chain);
  return chain;
}

/** The event when its bytes can be read; what does not link is a finding, but is read on. */
function checkEvent(chain: Chain, stored: StoredEvent, add: Add): ReadEvent | undefined {
  const where = { writer: stored.writer, sequence: stored.sequence };
  const read = readEvent(stored);
  if (!read.ok) {
    add("event.damaged", where, `In the chain of ${stored.writer}, ${read.failure}.`);
    return undefined;
  }
  const problem = linkProblem(chain.last, stored, read.value);
  if (problem !== undefined) add("chain.broken", where, `In the chain of ${stored.writer}, ${problem}.`);
  if (chain.stopped)
    add(
      "chain.broken",
      where,
      `The chain of ${stored.writer} goes on after it was stopped, at event ${stored.sequence}.`,
    );
  if ((stored.sequence === 1) !== (read.value.type === "writer.started")) {
    add(
      "chain.broken",
      where,
      `The chain of ${stored.writer} has ${read.value.type} as event ${stored.sequence}; a chain begins with writer.started, and only there.`,
    );
  }
  return read.value;
}

/** A start names the key it signs with and the chains it joins; each must be there exactly as named. */
function checkStart(
  chains: Map<string, Chain>,
  stored: StoredEvent,
  event: ReadEvent,
  publicKey: KeyObject,
  add: Add,
): WriterJoin[] {
  const where = { writer: stored.writer, sequence: stored.sequence };
  if (event.details["key_id"] !== keyIdOf(publicKey)) {
    add(
      "key.unknown",
      where,
      `The chain of ${stored.writer} was begun with another key than the one it is verified with.`,
    );
  }
  const joins = joinsOf(stored.writer, event);
  if (joins === undefined) {
    add("join.broken", where, `The first event of ${stored.writer} does not name the chains it joins.`);
    return [];
  }
  for (const join of joins) {
    const last = chains.get(join.joined)?.last;
    if (last?.sequence === join.sequence && last.hash === join.hash) continue;
    add(
      "join.broken",
      where,
      `${stored.writer} joined the chain of ${join.joined} at event ${join.sequence}, but that chain ${stateOf(last, join)}.`,
    );
  }
  return joins;
}

function stateOf(last: Chain["last"], join: WriterJoin): string {
  if (last === undefined) return "is missing";
  if (last.sequence < join.sequence) return `ends at event ${last.sequence}`;
  return last.sequence > join.sequence ? `was at event ${last.sequence} by then` : "has another event there";
}

/** A chain without an end was cut off by a crash, and the start that joined it must say so. */
function checkGap(
  chains: ReadonlyMap<string, Chain>,
  join: WriterJoin,
  gaps: ReadonlySet<string>,
  add: Add,
): void {
  const joined = chains.get(join.joined);
  const isOpen = joined?.last?.sequence === join.sequence && !joined.stopped;
  if (!isOpen || gaps.has(`${join.by}/${join.joined}`)) return;
  add(
    "gap.missing",
    { writer: join.by },
    `${join.by} joined the chain of ${join.joined}, which has no end, without recording the gap.`,
  );
}

function checkHead(
  chains: ReadonlyMap<string, Chain>,
  head: SignedHead,
  publicKey: KeyObject,
  add: Add,
): void {
  const where = { writer: head.writer, sequence: head.sequence };
  if (!isHeadGenuine(head, publicKey)) {
    add(
      "head.forged",
      where,
      `The head of ${head.writer} at event ${head.sequence} is not signed by the given key.`,
    );
    return;
  }
  const chain = chains.get(head.writer);
  const hash = chain?.hashes.get(head.sequence);
  if (chain === undefined || hash === undefined) {
    add(
      "head.dangling",
      where,
      `The head of ${head.writer} vouches for event ${head.sequence}, which is missing: the end of the chain was cut off.`,
    );
  } else if (hash !== head.hash) {
    add(
      "head.dangling",
      where,
      `The head of ${head.writer} vouches for another event ${head.sequence} than the one that is there.`,
    );
  } else {
    chain.signedThrough = Math.max(chain.signedThrough, head.sequence);
  }
}

/** A signature over a chain covers the heads named in its first event, and so the chains they end. Later starts come last, so one pass backwards is enough. */
function extendBySignedJoins(chains: ReadonlyMap<string, Chain>, joins: readonly WriterJoin[]): void {
  for (const join of joins.toReversed()) {
    const joined = chains.get(join.joined);
    const signed = (chains.get(join.by)?.signedThrough ?? 0) > 0;
    if (joined !== undefined && signed)
      joined.signedThrough = Math.max(
        joined.signedThrough,
        Math.min(join.sequence, joined.last?.sequence ?? 0),
      );
  }
}
