import type { Client, ClientConfig } from "pg";
import type { Request, Response } from "../commands/statement.ts";
import type { Driver } from "./driver.ts";
import { connectionProblem, type Place } from "./problems.ts";
import { numbered } from "./statements.ts";

/** How long a connection may take to come up. */
const CONNECT_MS = 10_000;
/** Longest statement; those of commands take milliseconds, those of lists and of a verification page by page. */
const STATEMENT_MS = 30_000;
/** Longest wait for what another gateway holds: longer than a stalled one may hold it. */
const LOCK_MS = 15_000;
/** A gateway that stands still in the midst of a transaction loses it, and its locks, after this time. */
const IDLE_IN_TRANSACTION_MS = 5_000;
/** The server would have answered or given up by then: the network is gone. */
const ANSWER_MS = STATEMENT_MS + 10_000;

export interface SessionParams {
  readonly url: string;
  /** Who this is, for whoever looks at the server's sessions. */
  readonly name: string;
}

export function clientConfig({ url, name }: SessionParams): ClientConfig {
  return {
    connectionString: url,
    application_name: name.slice(0, 63),
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    lock_timeout: LOCK_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
  };
}

/** One connection that belongs to one user of it. */
export interface Session {
  /** Process id of its backend in the server. */
  readonly backend: number;
  /** It is gone, and nothing more can be asked. */
  readonly isLost: () => boolean;
  /** Called once, when it is gone without having been closed. */
  readonly onLost: (listener: () => void) => void;
  /** Statements without parameters; the result of the last one. */
  exec(text: string): Promise<{ readonly rows: readonly unknown[]; readonly command: string }>;
  ask(request: Pick<Request, "sql" | "parameters">): Promise<Response>;
  onNotification(listener: (payload: string) => void): void;
  close(): Promise<void>;
}

/** @throws AtlasError `store.failed` with a sentence that says why, and never the password */
export async function openSession(driver: Driver, params: SessionParams): Promise<Session> {
  const client = driver.client({ ...clientConfig(params), pipeline: true });
  let lost = false;
  const listeners: (() => void)[] = [];
  const onEnd = () => {
    if (lost) return;
    lost = true;
    for (const listener of listeners.splice(0)) listener();
  };
  // A driver's error event without a listener would end the process; what was asked is rejected by itself.
  client.on("error", onEnd);
  client.on("end", onEnd);
  try {
    await client.connect();
    await client.query("set session characteristics as transaction isolation level read committed");
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    return sessionOn(client, { backend: rows[0]?.pid ?? 0, isLost: () => lost, listeners });
  } catch (error) {
    void client.end().catch(() => undefined);
    throw connectionProblem(error, placeOf(client));
  }
}

interface State {
  readonly backend: number;
  readonly isLost: () => boolean;
  readonly listeners: (() => void)[];
}

function sessionOn(client: Client, { backend, isLost, listeners }: State): Session {
  return {
    backend,
    isLost,
    onLost: (listener) => void listeners.push(listener),
    async exec(text) {
      const results: unknown = await client.query(text);
      const last: unknown = Array.isArray(results) ? results.at(-1) : results;
      return last as { rows: readonly unknown[]; command: string };
    },
    async ask(request) {
      const { rows, rowCount } = await client.query(numbered(request));
      return { rows, changed: rowCount ?? 0 };
    },
    onNotification: (listener) => void client.on("notification", ({ payload }) => listener(payload ?? "")),
    async close() {
      listeners.length = 0;
      await client.end();
    },
  };
}

export function placeOf(client: Pick<Client, "host" | "port" | "database" | "user">): Place {
  return {
    host: client.host,
    port: client.port,
    database: client.database ?? "",
    user: client.user ?? "",
  };
}
