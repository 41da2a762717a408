import { createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { AtlasError } from "../domain/errors.ts";
import { SIGNING_KEY_FILE } from "../ledger/signing-key.ts";
import { type LedgerReport, type LedgerRows, verifyStreamedLedger } from "../ledger/verify.ts";
import { DATABASE_FILE, databaseOf } from "../open-store.ts";
import { withPostgresLedger } from "../store/postgres/ledger-reader.ts";
import { openLedgerReader } from "../store/sqlite/ledger-reader.ts";
import { configPath, dataDir, dataOption, type WhereOptions } from "./where.ts";

interface VerifyOptions extends WhereOptions {
  readonly publicKey?: string;
  readonly json?: boolean;
}

export function ledgerCommand(setExitCode: (code: number) => void): Command {
  const ledger = new Command("ledger").description("the signed record");
  ledger
    .command("verify")
    .description(
      "check every hash, link and signature, and that cases went only where they may; also while a gateway runs",
    )
    .addOption(dataOption())
    .option(
      "--public-key <file>",
      "PEM of the key you trust (default: the data folder's own, which proves less)",
    )
    .option("--json", "print the whole report as JSON")
    .action(async (options: VerifyOptions) => setExitCode((await verify(options)) ? 0 : 1));
  ledger
    .command("public-key")
    .description("print the key that verifies this ledger, to keep where nobody can change it")
    .addOption(dataOption())
    .action((options: WhereOptions) => console.log(publicKeyPem(options)));
  return ledger;
}

async function verify(options: VerifyOptions): Promise<boolean> {
  const folder = dataDir(options);
  const database = databaseOf(folder, configPath(options));
  const pem = options.publicKey === undefined ? publicKeyPem(options) : readText(options.publicKey);
  const publicKey = readKey(pem);
  const check = (rows: LedgerRows) => verifyStreamedLedger({ ...rows, publicKey });
  const file = path.join(folder, DATABASE_FILE);
  const report =
    database.kind === "postgres"
      ? await withPostgresLedger(database.url, check)
      : await withSqliteLedger(file, check);
  print(report, database.kind === "postgres" ? "Postgres" : file, options);
  return report.ok;
}

async function withSqliteLedger<Answer>(
  file: string,
  use: (rows: LedgerRows) => Promise<Answer>,
): Promise<Answer> {
  const reader = openLedgerReader(file);
  try {
    return await use({
      events: reader.events(),
      heads: reader.heads(),
      cases: reader.cases(),
      payloads: reader.payloads(),
      imports: reader.imports(),
    });
  } finally {
    reader.close();
  }
}

function print(report: LedgerReport, where: string, options: VerifyOptions): void {
  if (options.json === true) {
    console.log(JSON.stringify(report, null, 2));
    return;
  }
  const { events, cases, heads, payloads, gaps } = report.counts;
  console.log(
    `${where}: ${events} events, ${cases} cases, ${payloads} payloads, ${heads} signed heads, ${gaps} gaps after a crash`,
  );
  for (const writer of report.writers) {
    const unsigned = writer.events - writer.signedThrough;
    console.log(
      `  ${writer.writer}: ${writer.events} events, signed through ${writer.signedThrough}` +
        (unsigned > 0 ? `, the last ${unsigned} not yet` : "") +
        (writer.stopped ? "" : ", still open"),
    );
  }
  for (const finding of report.findings) console.error(`  PROBLEM ${finding.sentence}`);
  console.log(
    report.ok ? "The ledger verifies." : `The ledger does not verify: ${report.findings.length} problems.`,
  );
}

function publicKeyPem(options: WhereOptions): string {
  const file = path.join(dataDir(options), SIGNING_KEY_FILE);
  return readKey(readText(file)).export({ type: "spki", format: "pem" }).toString().trim();
}

/** @throws AtlasError when the text is no key. */
function readKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new AtlasError(
      "config.invalid",
      "The file with the public key holds no key in PEM; print one with: atlas ledger public-key",
      { cause },
    );
  }
}

/** @throws AtlasError with the path when the file is not there. */
function readText(file: string): string {
  if (!existsSync(file)) throw new AtlasError("config.invalid", `There is no file ${file}.`);
  return readFileSync(file, "utf8");
}
