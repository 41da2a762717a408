import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { AtlasError } from "../../domain/errors.ts";
import { BACKUP_MARK, openForReading } from "./connection.ts";

/**
 * Copies the database as it is at one moment, beside a running gateway, into a new file that only its owner may read. What was erased
 * is not in the copy.
 *
 * @throws AtlasError `store.failed` when there is no such database, the file exists, or it cannot be written
 */
export function copyDatabase(path: string, file: string): void {
  const source = openForReading(path);
  const partial = `${file}.partial`;
  try {
    // Ours before SQLite writes a byte, so that nobody else can read it at any moment.
    closeSync(openSync(partial, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600));
    source.prepare("vacuum into ?").run(partial);
    mark(partial, BACKUP_MARK);
    renameSync(partial, file);
  } catch (cause) {
    rmSync(partial, { force: true });
    throw new AtlasError("store.failed", `The backup ${file} cannot be written.`, { cause });
  } finally {
    source.close();
  }
}

/** Turns a backup's copy into a database that a gateway opens; the caller sees to what it says is open. */
export function unmarkBackup(path: string): void {
  mark(path, 0);
}

/** Whether the file is a whole SQLite database and a backup of ours. @throws AtlasError `store.failed` when it is neither */
export function assertBackup(path: string): void {
  const db = openForReading(path);
  try {
    const version = db.prepare("pragma user_version").get()?.["user_version"];
    const whole = db.prepare("pragma integrity_check(1)").get()?.["integrity_check"];
    if (version === BACKUP_MARK && whole === "ok") return;
  } catch (cause) {
    throw notOurs(path, cause);
  } finally {
    db.close();
  }
  throw notOurs(path);
}

function notOurs(path: string, cause?: unknown): AtlasError {
  return new AtlasError(
    "store.failed",
    `${path} is no backup that \`atlas backup\` made, or it is damaged.`,
    { cause },
  );
}

function mark(path: string, value: number): void {
  const db = new DatabaseSync(path);
  db.exec(`pragma user_version = ${value}`);
  db.close();
  // VACUUM INTO leaves it to the system when its pages reach the disk.
  const handle = openSync(path, "r+");
  fsyncSync(handle);
  closeSync(handle);
}
