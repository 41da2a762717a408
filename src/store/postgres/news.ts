import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { CaseState } from "../../domain/case.ts";
import type { AgentId, CaseRef, WriterId } from "../../domain/ids.ts";
import type { ReasonId } from "../../domain/reasons.ts";
import type { CaseChanged } from "../../governance/ports.ts";
import { rowToCase } from "../case-codec.ts";
import type { Change } from "../commands/commits.ts";
import { type Steps, statement } from "../commands/statement.ts";
import type { CaseRow } from "../database.ts";
import type { Session } from "./session.ts";

/** Postgres takes less than 8000 bytes. https://www.postgresql.org/docs/current/sql-notify.html */
const MAX_PAYLOAD_BYTES = 7_900;
/** Pauses between tries to listen again. */
const RETRY_MS = { first: 200, last: 5_000 };
/** A connection that does not answer in this time is none: the network may have gone without a word. */
const BEAT_MS = 20_000;
/** Events of commits that were under way when the newest was read may have lower numbers. */
const OVERLAP = 1_000;
const CAUGHT_UP_AT_ONCE = 10_000;

/** Ids, states and names of upstreams and tools: never an argument, a text or a person. */
const caseSchema = z.object({
  ref: z.string(),
  agentId: z.string(),
  from: z.string().nullable(),
  to: z.string(),
  revision: z.number(),
  reported: z.boolean(),
  upstream: z.string(),
  reasonId: z.string(),
  ageMs: z.number(),
});
const newsSchema = z.object({
  by: z.string(),
  /** null: too large to be told; whoever hears of it looks at the database. */
  changes: z
    .array(
      z.union([
        z.object({ case: caseSchema }),
        z.object({ tool: z.object({ upstream: z.string(), name: z.string() }) }),
      ]),
    )
    .nullable(),
});

const NOTIFY = statement("select pg_notify(:channel, :payload)");

export function channelOf(schema: string): string {
  return `atlas_${schema}`.slice(0, 63);
}

/** Tells whoever listens on the database of changes, when they commit and not before. */
export function* announce(channel: string, by: WriterId, changes: readonly Change[]): Steps<void> {
  for (const payload of payloadsOf(by, changes)) yield* NOTIFY.send({ channel, payload });
}

export function payloadsOf(by: WriterId, changes: readonly Change[]): readonly string[] {
  const payloads: string[] = [];
  let part: Change[] = [];
  const textOf = (some: readonly Change[] | null) => JSON.stringify({ by, changes: some });
  for (const change of changes) {
    if (Buffer.byteLength(textOf([change])) > MAX_PAYLOAD_BYTES) payloads.push(textOf(null));
    else if (Buffer.byteLength(textOf([...part, change])) > MAX_PAYLOAD_BYTES) {
      payloads.push(textOf(part));
      part = [change];
    } else part.push(change);
  }
  return part.length === 0 ? payloads : [...payloads, textOf(part)];
}

export interface NewsDeps {
  readonly open: () => Promise<Session>;
  readonly channel: string;
  readonly writer: WriterId;
  /** What other processes have committed, in order as far as it was heard in order. */
  readonly onChanges: (changes: readonly Change[]) => void;
  readonly onProblem: (error: unknown) => void;
}

export interface News {
  /** Resolves when changes that are committed from now on will be heard. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Listens to what other processes commit. After a connection was lost, every case that others changed since the last sign of
 * life is told again as it stands: nothing is missed, and something may be told twice.
 */
export function createNews(deps: NewsDeps): News {
  const closed = new AbortController();
  let session: Session | undefined;
  let beat: NodeJS.Timeout | undefined;
  /** Number of the newest event when the connection last showed life. */
  let newestId = 0;
  let reconnecting: Promise<void> | undefined;

  async function listen(): Promise<void> {
    const opened = await deps.open();
    try {
      opened.onNotification((payload) => hear(opened, payload));
      await opened.exec(`listen "${deps.channel.replaceAll('"', '""')}"`);
      session = opened;
      opened.onLost(reconnect);
      if (newestId > 0) await catchUp(opened);
      newestId = await readNewest(opened);
    } catch (error) {
      await opened.close().catch(() => undefined);
      throw error;
    }
    clearInterval(beat);
    beat = setInterval(() => void look(opened), BEAT_MS).unref();
  }

  function hear(from: Session, payload: string): void {
    const news = newsOf(payload);
    if (news === null || news.by === deps.writer) return;
    if (news.changes === null) void catchUp(from).catch(deps.onProblem);
    else deps.onChanges(news.changes);
  }

  async function look(at: Session): Promise<void> {
    try {
      newestId = await readNewest(at);
    } catch {
      // Closing it is what tells that it is lost.
      await at.close().catch(() => undefined);
      reconnect();
    }
  }

  function reconnect(): void {
    clearInterval(beat);
    if (closed.signal.aborted) return;
    reconnecting ??= tryAgain().finally(() => {
      reconnecting = undefined;
    });
  }

  async function tryAgain(): Promise<void> {
    for (
      let pauseMs = RETRY_MS.first;
      !closed.signal.aborted;
      pauseMs = Math.min(pauseMs * 2, RETRY_MS.last)
    ) {
      try {
        await listen();
        return;
      } catch (error) {
        deps.onProblem(error);
      }
      await sleep(pauseMs, undefined, { ref: false, signal: closed.signal }).catch(() => undefined);
    }
  }

  async function catchUp(on: Session): Promise<void> {
    const parameters = { after: newestId - OVERLAP, writer: deps.writer, limit: CAUGHT_UP_AT_ONCE };
    const { rows } = await on.ask({ sql: CHANGED_SINCE, parameters });
    deps.onChanges((rows as readonly CaseRow[]).map((row) => ({ case: asItStands(row) })));
  }

  return {
    start: listen,
    async close() {
      closed.abort();
      clearInterval(beat);
      await reconnecting;
      await session?.close().catch(() => undefined);
    },
  };
}

const CHANGED_SINCE = `select * from cases where ref in (
  select ref from ledger_events where id > :after and ref is not null and writer <> :writer limit :limit)`;

async function readNewest(session: Session): Promise<number> {
  const { rows } = await session.exec("select coalesce(max(id), 0) as id from ledger_events");
  return (rows as readonly { readonly id: number }[])[0]?.id ?? 0;
}

function asItStands(row: CaseRow): CaseChanged {
  const found = rowToCase(row);
  return {
    ref: found.ref,
    agentId: found.agentId,
    from: found.state,
    to: found.state,
    revision: found.revision,
    reported: found.reportedAtMs !== null,
    upstream: found.upstream,
    reasonId: found.reasonId,
    ageMs: found.updatedAtMs - found.openedAtMs,
  };
}

/** null: not from a gateway of this version. Whoever may connect to the database may notify, so what comes only wakes. */
function newsOf(payload: string): { readonly by: string; readonly changes: readonly Change[] | null } | null {
  try {
    const parsed = newsSchema.safeParse(JSON.parse(payload));
    return parsed.success
      ? { by: parsed.data.by, changes: parsed.data.changes?.map(toChange) ?? null }
      : null;
  } catch {
    return null;
  }
}

type Told = NonNullable<z.output<typeof newsSchema>["changes"]>[number];

function toChange(told: Told): Change {
  if ("tool" in told) return told;
  const { ref, agentId, from, to, reasonId, ...rest } = told.case;
  return {
    case: {
      ...rest,
      ref: ref as CaseRef,
      agentId: agentId as AgentId,
      from: from as CaseState | null,
      to: to as CaseState,
      reasonId: reasonId as ReasonId,
    },
  };
}
