import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { AtlasError } from "../../domain/errors.ts";

/** Held in an exclusive SQLite transaction; never opened by anything but SQLite, because closing another handle on it would drop the lock. */
const LOCK_FILE = "gateway.lock";
/** Says for people and the CLI who holds the lock; means nothing when the lock is free. */
const HOLDER_FILE = "gateway.json";

/** How long to wait for somebody who only looks who holds the lock. */
const GRACE_MS = 500;

const holderSchema = z.object({
  /** 0 when somebody holds the lock but has not said who. */
  pid: z.int(),
  /** Where the gateway is reached; null until it listens. */
  url: z.string().nullable(),
  /** ISO-8601 UTC. */
  startedAt: z.string(),
  version: z.string().nullable(),
});
export type LockHolder = Readonly<z.infer<typeof holderSchema>>;

export interface AcquireDataLockParams {
  readonly pid: number;
  readonly url?: string;
  /** ISO-8601 UTC. */
  readonly startedAt: string;
  readonly version?: string;
}

export interface DataLock {
  /** The gateway listens now. */
  update(change: { readonly url: string }): void;
  /** Gives the folder free; safe to call twice. */
  release(): void;
}

/**
 * Takes the data folder for this process. The operating system gives the lock back when the process
 * ends in any way, kill -9 included, so there is never a stale lock to remove by hand.
 *
 * @throws AtlasError `data.locked` when another process holds it, naming who; `store.failed` when the folder cannot be used.
 */
export function acquireDataLock(dataDir: string, params: AcquireDataLockParams): DataLock {
  const db = openLockFile(dataDir);
  try {
    db.exec("begin exclusive");
  } catch (cause) {
    db.close();
    throw new AtlasError("data.locked", lockedSentence(dataDir, readHolderFile(dataDir)), { cause });
  }
  let holder: LockHolder = {
    pid: params.pid,
    url: params.url ?? null,
    startedAt: params.startedAt,
    version: params.version ?? null,
  };
  writeHolderFile(dataDir, holder);
  return {
    update({ url }) {
      holder = { ...holder, url };
      writeHolderFile(dataDir, holder);
    },
    release() {
      if (!db.isOpen) return;
      rmSync(join(dataDir, HOLDER_FILE), { force: true });
      db.close();
    },
  };
}

/** Who holds the data folder's lock; null when nobody does, whatever an old file says. */
export function readHolder(dataDir: string): LockHolder | null {
  const path = join(dataDir, LOCK_FILE);
  if (!existsSync(path)) return null;
  const db = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    db.prepare("select count(*) from sqlite_master").get();
    return null;
  } catch {
    // The only reason why this fails is the lock we ask about; an unreadable file is as good as a held one.
    return readHolderFile(dataDir) ?? { pid: 0, url: null, startedAt: "", version: null };
  } finally {
    db.close();
  }
}

function openLockFile(dataDir: string): DatabaseSync {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const path = join(dataDir, LOCK_FILE);
    if (!existsSync(path)) createPrivately(path);
    return new DatabaseSync(path, { timeout: GRACE_MS });
  } catch (cause) {
    throw new AtlasError("store.failed", `The data folder ${dataDir} cannot be used.`, { cause });
  }
}

/** O_EXCL: a file that is there already must not be opened and closed here, which would drop a lock that this process holds on it. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
  } catch (error) {
    const another = error instanceof Error && "code" in error && error.code === "EEXIST";
    if (!another) throw error;
  }
}

function lockedSentence(dataDir: string, holder: LockHolder | null): string {
  const advice = "Stop that gateway first, or give this one a data folder of its own.";
  if (holder === null) return `Another gateway uses the data folder ${dataDir}. ${advice}`;
  const url = holder.url === null ? "" : ` at ${holder.url}`;
  return `The data folder ${dataDir} is in use by the gateway with process id ${holder.pid}${url}, started ${holder.startedAt}. ${advice}`;
}

function writeHolderFile(dataDir: string, holder: LockHolder): void {
  const path = join(dataDir, HOLDER_FILE);
  writeFileSync(`${path}.new`, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function readHolderFile(dataDir: string): LockHolder | null {
  try {
    const parsed = holderSchema.safeParse(JSON.parse(readFileSync(join(dataDir, HOLDER_FILE), "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    // Missing or half-written: the lock still tells that somebody holds it.
    return null;
  }
}
