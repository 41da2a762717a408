import type { KeyObject } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../domain/clock.ts";
import { AtlasError } from "../../domain/errors.ts";
import type { RandomBytes, WriterId } from "../../domain/ids.ts";
import type { CaseChanged, Store, ToolChanged } from "../../governance/ports.ts";
import { createChangeListeners } from "../change-listeners.ts";
import { readFigures } from "../figures.ts";
import { createAccounts } from "./accounts.ts";
import { createCaseRows } from "./case-rows.ts";
import { createCases } from "./cases.ts";
import { openForWriting } from "./connection.ts";
import { createCredentialRows } from "./credential-rows.ts";
import { createErasure } from "./erasure.ts";
import { createGroupCommit, type GroupCommit, publicError } from "./group-commit.ts";
import { createGuardRows } from "./guard-rows.ts";
import { createGuards } from "./guards.ts";
import { createHeadSigner, type HeadSigner } from "./head-signer.ts";
import { kyselyOn, migrate } from "./kysely.ts";
import { createLedgerWriter, type LedgerWriter } from "./ledger-writer.ts";
import { createOutbox } from "./outbox.ts";
import { createPasswordRows } from "./password-rows.ts";
import { createPrincipalRows } from "./principal-rows.ts";
import { createPrincipals } from "./principals.ts";
import { readCommitted } from "./reads.ts";
import { createReadsRecord } from "./reads-record.ts";
import { createSessionRows, createSessions } from "./sessions.ts";
import { createTools } from "./tools.ts";

/** Where the store says what no caller hears of. */
export interface StoreLog {
  error(fields: object, sentence: string): void;
}

export interface OpenSqliteStoreParams {
  /** File of the database; created, together with its folder, when it is not there. */
  readonly path: string;
  /** This process; an id that never wrote before. */
  readonly writer: WriterId;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Ed25519 private key that signs the ledger's heads. */
  readonly signingKey: KeyObject;
  readonly log?: StoreLog;
  /**
   * The caller does not hold the data folder's lock, and a gateway may be running on it: an administrative change from the
   * command line. Without it, what an earlier writer left without an end is taken as a crash.
   */
  readonly besideGateway?: boolean;
}

/**
 * Opens the store on a SQLite file, brings its schema up to date and begins this process's chain of the ledger.
 * The caller holds the data folder's lock, or says that it does not.
 *
 * @throws AtlasError `store.failed` when the file cannot be opened or migrated, `ledger.broken` when an earlier chain is damaged.
 */
export async function openSqliteStore(params: OpenSqliteStoreParams): Promise<Store> {
  const db = openForWriting(params.path);
  try {
    return await storeOn(db, params);
  } catch (error) {
    db.close();
    throw publicError(error);
  }
}

async function storeOn(db: DatabaseSync, params: OpenSqliteStoreParams): Promise<Store> {
  const { writer, clock, random, signingKey, log } = params;
  const kysely = kyselyOn(db);
  await migrate(db, kysely);

  const listeners = createChangeListeners<CaseChanged>((error) =>
    log?.error({ error }, "A listener to changes of cases failed."),
  );
  const toolListeners = createChangeListeners<ToolChanged>((error) =>
    log?.error({ error }, "A listener to changes of tools failed."),
  );
  const ledger = createLedgerWriter({ db, writer, signingKey, besideOthers: params.besideGateway ?? false });
  const commits = createGroupCommit({
    db,
    clock,
    onRollback: ledger.forget,
    onCommitted(changes) {
      heads.committed();
      listeners.tell(changes);
    },
  });
  const onError = (error: unknown) =>
    log?.error({ error }, "The ledger's head could not be signed; the next commit tries again.");
  const heads = createHeadSigner({ db, commits, signingKey, head: ledger.head, onError });
  await commits.run((tx) => ledger.start(tx.nowMs));

  const gate = createGate(commits);
  const reads = readCommitted;
  const shared = { db, commits: gate.commits, reads, ledger, writer, clock, random };
  const principals = createPrincipalRows(db);
  const credentials = createCredentialRows(db);
  const passwords = createPasswordRows(db);
  const sessions = createSessionRows(db);
  const guards = createGuardRows(db, principals);
  const rows = createCaseRows({ db, ledger, random });
  return {
    ...createCases({ ...shared, rows, guards, principals, kysely, listen: listeners.listen }),
    ...createPrincipals({ ...shared, rows: principals, credentials }),
    ...createAccounts({ ...shared, people: principals, credentials, passwords, sessions }),
    ...createSessions({ ...shared, people: principals, credentials, passwords, sessions }),
    ...createGuards({ ...shared, rows: guards }),
    ...createTools({ ...shared, rows: guards, listeners: toolListeners }),
    ...createReadsRecord({ ...shared, guards, principals }),
    ...createOutbox(shared),
    ...createErasure(shared),
    figures: () => reads(() => readFigures(kysely)),
    close: gate.closeOnce(() => closeStore({ db, commits, ledger, heads })),
  };
}

/** Lets commands through until the store closes. */
function createGate(commits: GroupCommit) {
  let closing: Promise<void> | undefined;
  const gated: GroupCommit = {
    run(command) {
      if (closing === undefined) return commits.run(command);
      return Promise.reject(
        new AtlasError("store.failed", "The gateway is stopping; nothing more is recorded."),
      );
    },
  };
  return {
    commits: gated,
    closeOnce: (close: () => Promise<void>) => () => {
      closing ??= close();
      return closing;
    },
  };
}

interface CloseParams {
  readonly db: DatabaseSync;
  readonly commits: GroupCommit;
  readonly ledger: LedgerWriter;
  readonly heads: HeadSigner;
}

async function closeStore({ db, commits, ledger, heads }: CloseParams): Promise<void> {
  heads.stop();
  try {
    await commits.run((tx) => ledger.stop(tx.nowMs));
    await heads.signNow();
  } finally {
    heads.stop();
    db.close();
  }
}
