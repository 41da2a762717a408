import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import { AtlasError } from "../domain/errors.ts";
import { SIGNING_KEY_FILE } from "../ledger/signing-key.ts";
import { type LedgerReport, verifyLedger } from "../ledger/verify.ts";
import { DATABASE_FILE, isElsewhere } from "../open-store.ts";
import { copyDatabase } from "../store/sqlite/backup.ts";
import { openLedgerReader } from "../store/sqlite/ledger-reader.ts";
import { dataDir, dataOption, type WhereOptions } from "./where.ts";

export function backupCommand(setExitCode: (code: number) => void): Command {
  return new Command("backup")
    .description(
      "copy the database as it is now into a new file and verify the copy, also while a gateway runs; exit code 1 when the copy does not verify",
    )
    .argument("<file>", "new file; only its owner may read it")
    .addOption(dataOption())
    .action(async (file: string, options: WhereOptions) =>
      setExitCode((await backup(file, options)) ? 0 : 1),
    );
}

async function backup(name: string, options: WhereOptions): Promise<boolean> {
  const folder = dataDir(options);
  const database = path.join(folder, DATABASE_FILE);
  const file = path.resolve(name);
  if (isElsewhere(folder)) {
    throw new AtlasError(
      "config.invalid",
      "The data is in Postgres: copy it with pg_dump, as docs/postgres.md says.",
    );
  }
  if (!existsSync(database)) {
    throw new AtlasError(
      "config.invalid",
      `There is no database in ${folder}; name the data folder with --data.`,
    );
  }
  if (existsSync(file)) throw new AtlasError("config.invalid", `${file} exists; name a new file.`);
  copyDatabase(database, file);
  const { report, throughMs } = verifyCopy(file, publicKeyOf(folder));
  const { events, cases } = report.counts;
  console.log(`${file}: ${events} events, ${cases} cases, through ${new Date(throughMs).toISOString()}`);
  console.log(`  SHA-256 ${await sha256OfFile(file)}`);
  console.log(
    `  Not in it: ${SIGNING_KEY_FILE}, which a restore needs. Keep it elsewhere: whoever has both could forge the record.`,
  );
  for (const finding of report.findings) console.error(`  PROBLEM ${finding.sentence}`);
  if (!report.ok) console.error("The copy is kept, but its ledger does not verify. See: atlas ledger verify");
  return report.ok;
}

/** The public half of the folder's key. @throws AtlasError `config.invalid` when the folder has no key */
export function publicKeyOf(folder: string): KeyObject {
  const file = path.join(folder, SIGNING_KEY_FILE);
  if (!existsSync(file))
    throw new AtlasError("config.invalid", `There is no ${file}, so nothing can be verified.`);
  return createPublicKey(readFileSync(file, "utf8"));
}

/** Verifies a copy's whole ledger. `throughMs` is the time of its newest event. */
export function verifyCopy(
  file: string,
  publicKey: KeyObject,
): { readonly report: LedgerReport; readonly throughMs: number } {
  const reader = openLedgerReader(file);
  try {
    const report = verifyLedger({
      events: reader.events(),
      heads: reader.heads(),
      publicKey,
      cases: reader.cases(),
      payloads: reader.payloads(),
      imports: reader.imports(),
    });
    const newest = reader.newestEvent();
    return { report, throughMs: newest === undefined ? 0 : timeOfEvent(newest) };
  } finally {
    reader.close();
  }
}

/** When an event was written; 0 when it does not say. */
export function timeOfEvent({ bytes }: { readonly bytes: string }): number {
  const at: unknown = JSON.parse(bytes).at;
  return typeof at === "string" ? Date.parse(at) : 0;
}

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
