import { setTimeout as sleep } from "node:timers/promises";
import { AtlasError } from "../../domain/errors.ts";
import type { WriterId } from "../../domain/ids.ts";
import { GATEWAY_LOCK, lockKey } from "./locks.ts";
import type { Session } from "./session.ts";

/** The server takes a moment to see that the connection of a process that ended is gone. */
const TRIES = 8;
const TRY_EVERY_MS = 250;

/**
 * `alone`: no other gateway may use the database; `shared`: others may that say so too; `beside`: an administrative command, which
 * takes no gateway for dead; `unlocked`: the caller has made sure that there is no other.
 */
export type Hold = "alone" | "shared" | "beside" | "unlocked";

export interface WritingSessionParams {
  readonly open: () => Promise<Session>;
  readonly schema: string;
  readonly writer: WriterId;
  readonly hold: Hold;
}

/**
 * The one connection that writes. While it lives, the server holds the gateway's locks for it: that the database is this gateway's
 * (or shared), and that the writer of this chain is alive. A connection that is lost takes the locks with it, so whoever
 * cannot have them back writes nothing any more.
 */
export interface WritingSession {
  /** @throws AtlasError `data.locked` when another gateway has the database, `store.failed` when there is no connection */
  current(): Promise<Session>;
  close(): Promise<void>;
}

export function createWritingSession(params: WritingSessionParams): WritingSession {
  let session: Session | undefined;
  let opening: Promise<Session> | undefined;

  async function openAndLock(): Promise<Session> {
    const opened = await params.open();
    try {
      await takeLocks(opened, params, session?.backend ?? null);
      session = opened;
      return opened;
    } catch (error) {
      await opened.close().catch(() => undefined);
      throw error;
    }
  }

  return {
    current() {
      if (session !== undefined && !session.isLost()) return Promise.resolve(session);
      opening ??= openAndLock().finally(() => {
        opening = undefined;
      });
      return opening;
    },
    async close() {
      await opening?.catch(() => undefined);
      await session?.close();
    },
  };
}

/** @param earlier backend of the connection that was lost: the server may not have noticed yet */
async function takeLocks(
  session: Session,
  { schema, writer, hold }: WritingSessionParams,
  earlier: number | null,
): Promise<void> {
  if (earlier !== null) {
    await session.exec(
      `select pg_terminate_backend(pid) from pg_stat_activity where pid = ${earlier} and application_name = current_setting('application_name')`,
    );
  }
  if (hold === "unlocked") return;
  await session.exec(`select pg_try_advisory_lock(${lockKey(schema, writer)})`);
  if (hold === "beside") return;
  const gateway = lockKey(schema, GATEWAY_LOCK);
  const take = hold === "alone" ? "pg_try_advisory_lock" : "pg_try_advisory_lock_shared";
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const { rows } = await session.exec(`select ${take}(${gateway}) as taken`);
    if ((rows[0] as { readonly taken: boolean }).taken) return;
    await sleep(TRY_EVERY_MS);
  }
  throw new AtlasError("data.locked", lockedSentence(await holderOf(session, gateway), hold));
}

interface Holder {
  readonly name: string;
  readonly address: string | null;
  readonly since: string;
}

async function holderOf(session: Session, key: bigint): Promise<Holder | null> {
  const { rows } = await session.exec(
    `select a.application_name as name, host(a.client_addr) as address,
       to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since
     from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1
       and l.database = (select oid from pg_database where datname = current_database())
       and (l.classid::bigint << 32) | l.objid::bigint = ${key} limit 1`,
  );
  return (rows as readonly Holder[])[0] ?? null;
}

function lockedSentence(holder: Holder | null, hold: Hold): string {
  const advice =
    hold === "alone"
      ? "Stop that gateway first, or run both with `engine: inngest`."
      : "That one runs with `engine: embedded`, which has the database to itself. Stop it first.";
  if (holder === null) return `Another gateway uses the database. ${advice}`;
  const from = holder.address === null ? "" : ` from ${holder.address}`;
  return `The database is in use by ${holder.name}, connected${from} since ${holder.since}. ${advice}`;
}
