import type { KeyObject } from "node:crypto";
import { type ChainHead, type SignedHead, signHead } from "../../ledger/head.ts";
import { type Commits, OF_NOTHING, type Reads } from "./commits.ts";
import { type Steps, statement } from "./statement.ts";

/** At most one signature in this time; what a crash leaves unsigned is as old as this. */
const SIGN_AFTER_MS = 1000;

export interface HeadSigner {
  /** Something was committed: a signature is due. */
  committed(): void;
  /** Signs and stores the head as it is committed now. */
  signNow(): Promise<void>;
  /** Stops the timer. */
  stop(): void;
}

export interface HeadSignerDeps {
  readonly commits: Commits;
  readonly reads: Reads;
  readonly signingKey: KeyObject;
  /** Read between transactions: names a committed event, so a signature never covers what a crash can take back. */
  readonly head: () => Steps<ChainHead | null>;
  readonly onError: (error: unknown) => void;
}

export function createHeadSigner(deps: HeadSignerDeps): HeadSigner {
  const storeHead =
    statement(`insert into ledger_heads (writer, sequence, hash, signed_at_ms, signature, key_id)
     values (:writer, :sequence, :hash, :at_ms, :signature, :key_id)
     on conflict (writer) do update set sequence = excluded.sequence, hash = excluded.hash,
       signed_at_ms = excluded.signed_at_ms, signature = excluded.signature, key_id = excluded.key_id
     where excluded.sequence > ledger_heads.sequence`);
  let signedSequence = 0;
  let timer: NodeJS.Timeout | undefined;

  async function signNow(): Promise<void> {
    const head = await deps.reads(deps.head());
    if (head === null || head.sequence === signedSequence) return;
    const stored = await deps.commits.run(OF_NOTHING, function* (tx) {
      const signed = signHead(head, tx.nowMs, deps.signingKey);
      yield* storeHead.send(parametersOf(signed));
      return signed;
    });
    signedSequence = stored.sequence;
  }

  return {
    committed() {
      if (timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        signNow().catch(deps.onError);
      }, SIGN_AFTER_MS);
      timer.unref();
    },
    signNow,
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

function parametersOf(head: SignedHead) {
  return {
    writer: head.writer,
    sequence: head.sequence,
    hash: head.hash,
    at_ms: head.atMs,
    signature: head.signature,
    key_id: head.keyId,
  };
}
