import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../domain/clock.ts";
import type { Store } from "../../governance/ports.ts";
import { clockTime } from "../commands/clock-time.ts";
import type { Commits, Lists, Reads } from "../commands/commits.ts";
import { countedTokens } from "../commands/guard-rows.ts";
import { createLedgerWriter } from "../commands/ledger-writer.ts";
import {
  type ComposedStore,
  composeStore,
  createListeners,
  type OpenStoreParams,
} from "../commands/store.ts";
import { openForWriting } from "./connection.ts";
import { createGroupCommit, publicError } from "./group-commit.ts";
import { kyselyOn, migrate } from "./kysely.ts";
import { createRunSteps } from "./run-steps.ts";

export interface OpenSqliteStoreParams extends OpenStoreParams {
  /** File of the database; created, together with its folder, when it is not there. */
  readonly path: string;
  readonly clock: Clock;
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
  const { clock } = params;
  const kysely = kyselyOn(db);
  await migrate(db, kysely);

  const ledger = createLedgerWriter({ ...params, besideOthers: params.besideGateway ?? false });
  const runSteps = createRunSteps(db);
  const group = createGroupCommit({
    db,
    clock,
    onRollback: ledger.forget,
    onCommitted: (changes) => composed.committed(changes),
  });
  /** A transaction has the database to itself, so nothing else needs to be locked. */
  const commits: Commits = {
    run: (_locks, command, durability) => group.run((tx) => runSteps(command(tx)), durability),
  };
  const reads: Reads = (query) => answerOrPublicError(() => runSteps(query));
  const lists: Lists = (query) => answerOrPublicError(() => query(kysely));
  const composed: ComposedStore = composeStore({
    ...params,
    commits,
    reads,
    lists,
    now: clockTime(clock),
    tokens: countedTokens,
    ledger,
    listeners: createListeners(params.log),
    disconnect: () => db.close(),
  });
  await composed.start();
  return composed.store;
}

async function answerOrPublicError<Answer>(query: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await query();
  } catch (error) {
    throw publicError(error);
  }
}
