import { createReadStream, existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError } from "commander";
import { AtlasError } from "../domain/errors.ts";
import { createAuditLogReader } from "../governance/audit-log.ts";
import type { ImportedEntry } from "../governance/import-ports.ts";
import { derivedKey } from "../ledger/derived-key.ts";
import { loadOrCreateSigningKey } from "../ledger/signing-key.ts";
import { withAdminStore } from "./admin-store.ts";
import { sha256OfFile } from "./backup.ts";
import { dataDir, dataOption, type WhereOptions } from "./where.ts";

interface ImportOptions extends WhereOptions {
  readonly eraseBefore?: number;
}

/** Entries of one commit. */
const BATCH = 200;
/** Lines that are named; of more it is enough to know how many. */
const NAMED = 10;

export function importCommand(setExitCode: (code: number) => void): Command {
  return new Command("import")
    .description(
      "keep the entries of an older audit log (one JSON object a line) as signed evidence; the same entry is kept once. " +
        "They become no cases. Exit code 1 when a line is no entry",
    )
    .argument("[file]", "such as audit_log.jsonl")
    .option(
      "--erase-before <time>",
      "erase the texts of entries from before this time (ISO 8601), on the record",
      parseTime,
    )
    .addOption(dataOption())
    .action(async (file: string | undefined, options: ImportOptions) => {
      if ((file === undefined) === (options.eraseBefore === undefined))
        throw new AtlasError("config.invalid", "Name a file to import, or a time with --erase-before.");
      if (options.eraseBefore !== undefined) await eraseBefore(options.eraseBefore, options);
      else setExitCode((await importFile(path.resolve(file ?? ""), options)) ? 0 : 1);
    });
}

function parseTime(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new InvalidArgumentError("a time looks like 2026-01-31 or 2026-01-31T12:00:00Z.");
  return ms;
}

async function eraseBefore(beforeMs: number, options: WhereOptions): Promise<void> {
  const erased = await withAdminStore(options, async (store) => {
    let all = 0;
    for (let found = BATCH; found === BATCH; all += found)
      found = await store.eraseImported({ beforeMs, limit: BATCH });
    return all;
  });
  console.log(`Erased the texts of ${erased} imported entries; what was committed to stays on record.`);
}

async function importFile(file: string, options: WhereOptions): Promise<boolean> {
  if (!existsSync(file)) throw new AtlasError("config.invalid", `There is no file ${file}.`);
  const sourceSha256 = await sha256OfFile(file);
  const bad: string[] = [];
  const counts = await withAdminStore(options, async (store) => {
    const reader = createAuditLogReader(
      derivedKey(loadOrCreateSigningKey(dataDir(options)).privateKey, "imports"),
    );
    let entries = 0;
    let added = 0;
    let batch: ImportedEntry[] = [];
    const flush = async () => {
      added += await store.importEntries({ sourceSha256, entries: batch });
      batch = [];
    };
    let number = 0;
    for await (const line of createInterface({
      input: createReadStream(file),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      number += 1;
      const entry = reader.read(line);
      if (typeof entry === "string") bad.push(`line ${number}: ${entry}`);
      else if (entry !== null) batch.push(entry);
      if (batch.length < BATCH) continue;
      entries += batch.length;
      await flush();
    }
    entries += batch.length;
    await flush();
    return { entries, added };
  });
  console.log(`${file}: ${counts.entries} entries, ${counts.added} of them new.`);
  for (const problem of bad.slice(0, NAMED)) console.error(`  left out, ${problem}`);
  if (bad.length > NAMED) console.error(`  left out, and ${bad.length - NAMED} more lines`);
  return bad.length === 0;
}
