import { chmodSync, closeSync, constants, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { AtlasError } from "../../domain/errors.ts";

/**
 * `user_version` of a file that is a backup: no gateway runs on it as it is, because what it says is open may have gone on
 * since. (The schema's own version is in its table of migrations.)
 */
export const BACKUP_MARK = 0x41_54_4c;

/** A database with this added to its name is one that a restore has not finished. */
export const RESTORING = ".restoring";

/** How long a statement waits for another process's write lock before it fails. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens the database for writing: WAL, every commit on disk before it returns, readable by the owner only, and what is
 * deleted is overwritten.
 *
 * @throws AtlasError `store.failed` when the file cannot be opened, is not a database, or is a backup or half of a restore.
 */
export function openForWriting(path: string): DatabaseSync {
  if (existsSync(path + RESTORING)) {
    throw new AtlasError(
      "store.failed",
      `A restore of ${path} was interrupted. Run the same \`atlas restore\` again; until then nothing may write there.`,
    );
  }
  const db = openedForWriting(path);
  if (db.prepare("pragma user_version").get()?.["user_version"] !== BACKUP_MARK) return db;
  db.close();
  throw new AtlasError(
    "store.failed",
    `${path} is a backup that was put there by hand: what it says is open may have run since. Bring it back with \`atlas restore\`.`,
  );
}

function openedForWriting(path: string): DatabaseSync {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Created before SQLite opens it, so that there is no moment in which others can read it; WAL and index inherit the mode.
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    chmodSync(path, 0o600);
    const db = new DatabaseSync(path, {
      timeout: BUSY_TIMEOUT_MS,
      enableForeignKeyConstraints: true,
      defensive: true,
    });
    db.exec(`
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma fullfsync = on;
      pragma checkpoint_fullfsync = on;
      pragma trusted_schema = off;
      pragma secure_delete = on;
    `);
    return db;
  } catch (cause) {
    throw new AtlasError("store.failed", `The database ${path} cannot be opened.`, { cause });
  }
}

/**
 * Opens the database for reading only; works while a gateway writes to it.
 *
 * @throws AtlasError `store.failed` when there is no such file or it is not a database.
 */
export function openForReading(path: string): DatabaseSync {
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    db.exec("pragma trusted_schema = off");
    return db;
  } catch (cause) {
    throw new AtlasError("store.failed", `The database ${path} cannot be opened for reading.`, { cause });
  }
}

type Parameters = { readonly [name: string]: SQLInputValue };

/** A prepared statement whose rows have the shape that its author claims; nothing checks the claim at run time. */
export interface Statement<Row> {
  get(parameters?: Parameters): Row | undefined;
  all(parameters?: Parameters): Row[];
  iterate(parameters?: Parameters): Iterable<Row>;
  /** @returns how many rows were changed. */
  run(parameters?: Parameters): number;
}

export function prepare<Row = never>(db: DatabaseSync, sql: string): Statement<Row> {
  const statement = db.prepare(sql);
  return {
    get: (parameters = {}) => statement.get(parameters) as Row | undefined,
    all: (parameters = {}) => statement.all(parameters) as Row[],
    iterate: (parameters = {}) => statement.iterate(parameters) as Iterable<Row>,
    run: (parameters = {}) => Number(statement.run(parameters).changes),
  };
}

/** Whether the error came from SQLite and not from our own code. */
export function isSqliteError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";
}
