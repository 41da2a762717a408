import type { KeyObject } from "node:crypto";
import { AtlasError } from "../../domain/errors.ts";
import type { WriterId } from "../../domain/ids.ts";
import type { Actor } from "../../domain/principal.ts";
import { type LedgerEntry, sealEvent } from "../../ledger/event.ts";
import type { ChainHead } from "../../ledger/head.ts";
import { keyIdOf, publicKeyText } from "../../ledger/signing-key.ts";
import { chainsToJoin, type JoinedChain } from "./earlier-chains.ts";
import { type Steps, statement } from "./statement.ts";

/** Appends to this writer's chain. */
export interface LedgerWriter {
  append(entry: LedgerEntry, nowMs: number): Steps<void>;
  /** Opens the chain: `writer.started` with the heads it joins, and a `ledger.gap` for each chain that was cut off. */
  start(nowMs: number): Steps<void>;
  /** Ends the chain: a chain without this event was ended by a crash. */
  stop(nowMs: number): Steps<void>;
  /** Latest event of the chain; null before the first. Read between transactions, it is committed. */
  readonly head: () => Steps<ChainHead | null>;
  /** Something was rolled back: the chain's end is read from the database before it is used again, so that the chain never forks. */
  readonly forget: () => void;
}

export interface LedgerWriterParams {
  readonly writer: WriterId;
  readonly signingKey: KeyObject;
  /** Other processes may be writing now: a chain without an end is then theirs, and is neither joined nor called a gap. */
  readonly besideOthers: boolean;
  /** Whether the process of a chain without an end still runs; absent where the caller knows that none does. */
  readonly isRunning?: (writer: WriterId) => Steps<boolean>;
}

export function createLedgerWriter({
  writer,
  signingKey,
  besideOthers,
  isRunning,
}: LedgerWriterParams): LedgerWriter {
  const insertEvent = statement(
    "insert into ledger_events (writer, sequence, ref, hash, bytes) values (:writer, :sequence, :ref, :hash, :bytes)",
  );
  const lastEvent = statement<ChainHead>(
    "select writer, sequence, hash from ledger_events where writer = :writer order by sequence desc limit 1",
  );
  const engine = { kind: "engine", id: writer } as const;
  let remembered: { readonly last: ChainHead | null } | undefined;

  function* head(): Steps<ChainHead | null> {
    return (yield* lastEvent.get({ writer })) ?? null;
  }

  function* append(entry: LedgerEntry, nowMs: number): Steps<void> {
    remembered ??= { last: yield* head() };
    const { last } = remembered;
    const sequence = (last?.sequence ?? 0) + 1;
    const { bytes, hash } = sealEvent(entry, {
      writer,
      sequence,
      previousHash: last?.hash ?? null,
      atMs: nowMs,
    });
    yield* insertEvent.send({ writer, sequence, ref: entry.case ?? null, hash, bytes });
    remembered = { last: { writer, sequence, hash } };
  }

  function* endedChains(): Steps<readonly JoinedChain[]> {
    const ended: JoinedChain[] = [];
    for (const chain of yield* chainsToJoin(signingKey)) {
      if (!chain.stopped && besideOthers) continue;
      if (!chain.stopped && isRunning !== undefined && (yield* isRunning(chain.writer))) continue;
      ended.push(chain);
    }
    return ended;
  }

  function* start(nowMs: number): Steps<void> {
    if ((yield* head()) !== null) {
      throw new AtlasError(
        "ledger.broken",
        `The ledger has a chain of ${writer} already; every process needs an id of its own.`,
      );
    }
    const joined = yield* endedChains();
    yield* insertWriter({ writer, signingKey, nowMs });
    yield* append(startedEntry(engine, signingKey, joined), nowMs);
    for (const chain of joined) {
      if (!chain.stopped) yield* append(gapEntry(engine, chain), nowMs);
      yield* markJoined(chain);
    }
  }

  return {
    append,
    start,
    stop: (nowMs) => append({ type: "writer.stopped", actor: engine, details: {} }, nowMs),
    head,
    forget() {
      remembered = undefined;
    },
  };
}

function startedEntry(actor: Actor, signingKey: KeyObject, joined: readonly JoinedChain[]): LedgerEntry {
  return {
    type: "writer.started",
    actor,
    details: {
      key: publicKeyText(signingKey),
      key_id: keyIdOf(signingKey),
      joins: joined.map((chain) => [chain.writer, chain.sequence, chain.hash]),
    },
  };
}

function gapEntry(actor: Actor, chain: JoinedChain): LedgerEntry {
  return {
    type: "ledger.gap",
    actor,
    details: { writer: chain.writer, sequence: chain.sequence, signed_sequence: chain.signedSequence },
  };
}

function insertWriter(params: {
  readonly writer: WriterId;
  readonly signingKey: KeyObject;
  readonly nowMs: number;
}): Steps<void> {
  return statement(
    "insert into ledger_writers (writer, public_key, key_id, started_at_ms) values (:writer, :public_key, :key_id, :now)",
  ).send({
    writer: params.writer,
    public_key: publicKeyText(params.signingKey),
    key_id: keyIdOf(params.signingKey),
    now: params.nowMs,
  });
}

function markJoined(chain: JoinedChain): Steps<void> {
  return statement("update ledger_writers set joined_sequence = :sequence where writer = :writer").send({
    writer: chain.writer,
    sequence: chain.sequence,
  });
}
