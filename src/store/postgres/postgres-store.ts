import { hostname } from "node:os";
import type { Kysely } from "kysely";
import type { Pool } from "pg";
import type { Clock } from "../../domain/clock.ts";
import type { WriterId } from "../../domain/ids.ts";
import type { Store } from "../../governance/ports.ts";
import { clockTime } from "../commands/clock-time.ts";
import type { Lists, Reads } from "../commands/commits.ts";
import type { FencingTokens } from "../commands/guard-rows.ts";
import { createLedgerWriter } from "../commands/ledger-writer.ts";
import { type Steps, statement } from "../commands/statement.ts";
import {
  type ComposedStore,
  composeStore,
  createListeners,
  type Listeners,
  type OpenStoreParams,
} from "../commands/store.ts";
import type { Database } from "../database.ts";
import { type Driver, loadDriver } from "./driver.ts";
import { requireFit } from "./fitness.ts";
import { createGroupCommit } from "./group-commit.ts";
import { lockKey } from "./locks.ts";
import { kyselyOn, migrate } from "./migrate.ts";
import { announce, channelOf, createNews } from "./news.ts";
import { openPool } from "./pool.ts";
import { publicError } from "./problems.ts";
import { createReads } from "./reads.ts";
import { openSession, type Session, type SessionParams } from "./session.ts";
import { createWritingSession, type Hold } from "./writing-session.ts";

export interface OpenPostgresStoreParams extends OpenStoreParams {
  /** `postgres://user:password@host:port/database?…`, as libpq and `pg` read it. */
  readonly url: string;
  readonly hold: Hold;
  /** Connections for reading; three more are for writing, for listening, and for whatever comes up. 8 by default. */
  readonly readers?: number;
  /** Instead of the database's own time; for tests that move it. */
  readonly clock?: Clock;
}

/**
 * Opens the store on a Postgres database, brings its schema up to date and begins this process's chain of the ledger.
 *
 * @throws AtlasError `store.failed` when the database cannot be reached, used or migrated, `data.locked` when another gateway has it,
 *   `ledger.broken` when an earlier chain is damaged.
 */
export async function openPostgresStore(params: OpenPostgresStoreParams): Promise<Store> {
  const driver = await loadDriver();
  const session = { url: params.url, name: nameOf(params.hold) };
  const schema = await schemaOf(driver, session);
  const writing = createWritingSession({ ...params, open: () => openSession(driver, session), schema });
  const pool = openPool(driver, session, params.readers ?? 8);
  const listeners = createListeners(params.log);
  const news = createNews({
    open: () => openSession(driver, session),
    channel: channelOf(schema),
    writer: params.writer,
    onChanges: (changes) => listeners.tell(changes, "elsewhere"),
    onProblem: (error) =>
      params.log?.error({ error }, "The database cannot be listened to; it will be tried again."),
  });
  const disconnect = async () => {
    await news.close();
    await writing.close();
    await pool.end();
  };
  try {
    const kysely = kyselyOn(pool);
    await migrate(await writing.current(), schema, kysely);
    const connections = { schema, pool, kysely, listeners, session: () => writing.current() };
    const composed = compose({ ...params, ...connections }, disconnect);
    await composed.start();
    if (params.hold !== "beside") await news.start();
    return composed.store;
  } catch (error) {
    await disconnect().catch(() => undefined);
    throw publicError(error);
  }
}

function nameOf(hold: Hold): string {
  return `${hold === "beside" ? "atlas command" : "atlas gateway"}, process ${process.pid} on ${hostname()}`;
}

/** Looks at the database before anything is done with it. */
async function schemaOf(driver: Driver, params: SessionParams): Promise<string> {
  const session = await openSession(driver, params);
  try {
    return await requireFit(session);
  } finally {
    await session.close();
  }
}

interface ComposeParams extends OpenPostgresStoreParams {
  readonly schema: string;
  readonly pool: Pool;
  readonly kysely: Kysely<Database>;
  readonly session: () => Promise<Session>;
  readonly listeners: Listeners;
}

function compose(params: ComposeParams, disconnect: () => Promise<void>): ComposedStore {
  const { schema, pool, kysely, session, clock } = params;
  const ledger = createLedgerWriter({
    ...params,
    besideOthers: params.hold === "beside",
    ...(params.hold !== "unlocked" && { isRunning: (writer: WriterId) => holdsItsLock(schema, writer) }),
  });
  const commits = createGroupCommit({
    session,
    schema,
    clock: clock ?? null,
    onRollback: ledger.forget,
    announce: (changes) => announce(channelOf(schema), params.writer, changes),
    onCommitted: (changes) => composed.committed(changes),
  });
  const { reads, lists }: { reads: Reads; lists: Lists } = createReads(pool, kysely);
  const composed: ComposedStore = composeStore({
    ...params,
    commits,
    reads,
    lists,
    now: clock === undefined ? databaseTime : clockTime(clock),
    tokens: SEQUENCE,
    ledger,
    listeners: params.listeners,
    disconnect,
  });
  return composed;
}

const HELD = statement<{ held: number }>(
  `select count(*) as held from pg_locks
   where locktype = 'advisory' and granted and objsubid = 1
     and database = (select oid from pg_database where datname = current_database())
     and (classid::bigint << 32) | objid::bigint = cast(:key as bigint)`,
);

/** A process holds the lock of its chain for as long as it can write: the server lets go of it when the connection ends. */
function* holdsItsLock(schema: string, writer: WriterId): Steps<boolean> {
  const row = yield* HELD.get({ key: String(lockKey(schema, writer)) });
  return row !== undefined && row.held > 0;
}

const NOW = statement<{ now: number }>(
  "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now",
);

function* databaseTime(): Steps<number> {
  const row = yield* NOW.get();
  if (row === undefined) throw new Error("a select without a condition gave no row");
  return row.now;
}

const NEXT_TOKEN = statement<{ token: number }>("select nextval('fencing_tokens') as token");

/** A sequence grows whatever becomes of the transaction, so that claims of several gateways do not wait for each other. */
const SEQUENCE: FencingTokens = {
  *next() {
    const row = yield* NEXT_TOKEN.get();
    if (row === undefined) throw new Error("a select without a condition gave no row");
    return row.token;
  },
};
