import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import path from "node:path";
import { Command } from "commander";
import type { DatabaseConfig } from "../config/config.ts";
import { systemClock } from "../domain/clock.ts";
import { AtlasError } from "../domain/errors.ts";
import { newWriterId, secureRandomBytes } from "../domain/ids.ts";
import type { Store } from "../governance/ports.ts";
import type { StoredEvent } from "../ledger/chain.ts";
import { loadOrCreateSigningKey, SIGNING_KEY_FILE } from "../ledger/signing-key.ts";
import { type LedgerReport, verifyStreamedLedger } from "../ledger/verify.ts";
import { DATABASE_FILE, databaseOf, isElsewhere, openStore } from "../open-store.ts";
import { withPostgresLedger } from "../store/postgres/ledger-reader.ts";
import { assertBackup, unmarkBackup } from "../store/sqlite/backup.ts";
import { RESTORING } from "../store/sqlite/connection.ts";
import { acquireDataLock } from "../store/sqlite/lock.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { createLog } from "../telemetry/log.ts";
import { publicKeyOf, sha256OfFile, timeOfEvent, verifyCopy } from "./backup.ts";
import { configOption, configPath, dataDir, dataOption, type WhereOptions } from "./where.ts";

interface RestoreOptions extends WhereOptions {
  readonly replace?: boolean;
  readonly signingKey?: string;
}

/** What people get from the moment of the restore to look into a case; stopped time does not count. */
const REVIEW_FOR_MS = 24 * 3_600_000;
const BATCH = 200;

export function restoreCommand(): Command {
  return new Command("restore")
    .description(
      "bring a backup back into a data folder on which no gateway runs: verifies it, gives everything open to humans, and stops everything until `atlas resume all`",
    )
    .argument(
      "[file]",
      "what atlas backup wrote; none for a Postgres database that its own tools brought back",
    )
    .option("--replace", "put a database that is there aside first")
    .option("--signing-key <file>", "the key that signs the ledger, where the data folder has none")
    .addOption(configOption())
    .addOption(dataOption())
    .action(restore);
}

async function restore(name: string | undefined, options: RestoreOptions): Promise<void> {
  if (isElsewhere(dataDir(options)) !== (name === undefined)) {
    throw new AtlasError(
      "config.invalid",
      name === undefined
        ? "Name the file that atlas backup wrote."
        : `The gateway of ${dataDir(options)} keeps its data in Postgres: bring that back with its own tools, then run \`atlas restore\` without a file.`,
    );
  }
  if (name === undefined) {
    const folder = dataDir(options);
    await restoredPostgres(folder, databaseOf(folder, configPath(options)));
    return;
  }
  const file = path.resolve(name);
  if (!existsSync(file)) throw new AtlasError("config.invalid", `There is no file ${file}.`);
  assertBackup(file);
  const folder = dataDir(options);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = acquireDataLock(folder, { pid: process.pid, startedAt: new Date().toISOString() });
  try {
    const database = path.join(folder, DATABASE_FILE);
    if (existsSync(database) && options.replace !== true) {
      throw new AtlasError(
        "config.invalid",
        `There is a database in ${folder}; with --replace it is put aside.`,
      );
    }
    const key = takeSigningKey(folder, options.signingKey);
    const { cases, throughMs } = await prepare(file, database + RESTORING, folder).catch((error: unknown) => {
      // A key that does not fit must not stay as this folder's own.
      if (key !== null) rmSync(key);
      throw error;
    });
    const aside = putAside(database);
    renameSync(database + RESTORING, database);
    syncFolder(folder);
    sayRestored(database, throughMs, cases, aside);
  } finally {
    lock.release();
  }
}

/** The copy beside its place, ready to run on: nothing in it may run without a human. */
async function prepare(file: string, restoring: string, folder: string) {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(restoring + suffix, { force: true });
  copyFileSync(file, restoring, constants.COPYFILE_EXCL);
  chmodSync(restoring, 0o600);
  try {
    const { report, throughMs } = verifyCopy(restoring, publicKeyOf(folder));
    assertVerified(report);
    unmarkBackup(restoring);
    const store = await openSqliteStore({
      path: restoring,
      writer: newWriterId(secureRandomBytes),
      clock: systemClock,
      random: secureRandomBytes,
      signingKey: loadOrCreateSigningKey(folder).privateKey,
      log: createLog(),
    });
    const cases = await giveToHumans(store, { backupSha256: await sha256OfFile(file), throughMs });
    assertVerified(verifyCopy(restoring, publicKeyOf(folder)).report);
    return { cases, throughMs };
  } catch (error) {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(restoring + suffix, { force: true });
    throw error;
  }
}

/** Makes a restored record one on which nothing runs without a human, and closes it. @returns how many cases were open */
async function giveToHumans(
  store: Store,
  from: { readonly backupSha256: string | null; readonly throughMs: number },
): Promise<number> {
  try {
    // First, so that nothing runs even if the rest were missed.
    await store.engageKillSwitch({
      scope: "all",
      target: "*",
      by: null,
      reason: `Restored from a backup through ${new Date(from.throughMs).toISOString()}.`,
    });
    let cases = 0;
    for (let found = BATCH; found === BATCH; cases += found) {
      found = await store.reviewOpenCases({ limit: BATCH, reviewForMs: REVIEW_FOR_MS });
    }
    await store.recordRestored({ ...from, cases });
    return cases;
  } finally {
    await store.close();
  }
}

/** The same for a Postgres database that its own tools brought back. */
async function restoredPostgres(folder: string, database: DatabaseConfig): Promise<void> {
  if (database.kind !== "postgres")
    throw new AtlasError("config.invalid", "Name the file that atlas backup wrote.");
  let newest: StoredEvent | undefined;
  const report = await withPostgresLedger(database.url, (rows) => {
    async function* noting() {
      for await (const event of rows.events) {
        newest = event;
        yield event;
      }
    }
    return verifyStreamedLedger({ ...rows, events: noting(), publicKey: publicKeyOf(folder) });
  });
  assertVerified(report);
  const store = await openStore({
    dataDir: folder,
    database,
    hold: "alone",
    writer: newWriterId(secureRandomBytes),
    clock: systemClock,
    random: secureRandomBytes,
    signingKey: loadOrCreateSigningKey(folder).privateKey,
    log: createLog(),
  });
  const throughMs = newest === undefined ? 0 : timeOfEvent(newest);
  sayRestored(
    "the Postgres database",
    throughMs,
    await giveToHumans(store, { backupSha256: null, throughMs }),
    null,
  );
}

function sayRestored(what: string, throughMs: number, cases: number, aside: string | null): void {
  console.log(`Restored ${what}, through ${new Date(throughMs).toISOString()}.`);
  if (aside !== null) console.log(`  What was there is now ${aside}.`);
  console.log(`  ${cases} open cases went back to humans; everybody is signed out; everything is stopped.`);
  console.log(
    "  What happened after the backup is not in the record: revoke again who was revoked since, look at",
  );
  console.log("  agents, people, tools and open cases, then: npx atlas resume all");
}

function assertVerified(report: LedgerReport): void {
  if (report.ok) return;
  const sentences = report.findings.slice(0, 5).map((finding) => finding.sentence);
  throw new AtlasError(
    "ledger.broken",
    `The backup's ledger does not verify with this key, so it is not brought back (${report.findings.length} problems): ${sentences.join(" ")}`,
  );
}

/** @returns the file that was put into the folder; null when the folder had one */
function takeSigningKey(folder: string, given: string | undefined): string | null {
  const file = path.join(folder, SIGNING_KEY_FILE);
  if (existsSync(file)) {
    if (given === undefined) return null;
    throw new AtlasError(
      "config.invalid",
      `${file} is there already; leave out --signing-key, or move that file away.`,
    );
  }
  if (given === undefined) {
    throw new AtlasError(
      "config.invalid",
      `The key that signed the ledger is not in ${folder}. Name the one you kept with --signing-key.`,
    );
  }
  if (!existsSync(given)) throw new AtlasError("config.invalid", `There is no file ${given}.`);
  copyFileSync(given, file, constants.COPYFILE_EXCL);
  chmodSync(file, 0o600);
  return file;
}

/** @returns where the database went; null when there was none */
function putAside(database: string): string | null {
  if (!existsSync(database)) return null;
  const aside = `${database}.before-restore-${new Date().toISOString().replaceAll(/[:.]/gu, "-")}`;
  // While these names change, the half-done restore beside them keeps every gateway away.
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(database + suffix)) renameSync(database + suffix, aside + suffix);
  }
  return aside;
}

/** Makes the new names durable; Windows cannot open folders and needs no such step. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, constants.O_RDONLY);
  fsyncSync(handle);
  closeSync(handle);
}
