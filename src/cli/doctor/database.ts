import { createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { AtlasError } from "../../domain/errors.ts";
import { keyIdOf, SIGNING_KEY_FILE } from "../../ledger/signing-key.ts";
import { verifyTail } from "../../ledger/verify-tail.ts";
import { DATABASE_FILE } from "../../open-store.ts";
import type { Inspection } from "../../store/inspection.ts";
import { inspectDatabase, type SqliteInspection } from "../../store/sqlite/inspection.ts";
import { type Finding, fine, problem, sizeText, warning } from "./finding.ts";

/** Events whose hashes and links are checked; the whole ledger is for `atlas ledger verify`. */
export const TAIL_EVENTS = 5_000;
/** After this many attempts the engine tries every five minutes: the upstream has been away for long. */
export const MANY_ATTEMPTS = 8;
const LARGE_WAL = 256 * 1024 ** 2;
/** The engine sweeps every 30 s; this much later nobody is sweeping. */
const OVERDUE_MS = 2 * 60_000;
const OUTBOX_LATE_MS = 60 * 60_000;

export interface DatabaseFindings {
  readonly findings: readonly Finding[];
  /** When the newest event was written; null when that is not known. */
  readonly newestEventAtMs: number | null;
}

/** The database, the key, the end of the ledger, and what waits in them. */
export async function checkDatabase(folder: string, isServed: boolean): Promise<DatabaseFindings> {
  const file = path.join(folder, DATABASE_FILE);
  if (!existsSync(file)) return { findings: [], newestEventAtMs: null };
  const found = await inspect(file);
  if ("topic" in found) return { findings: [found], newestEventAtMs: null };
  const newest = found.newestEvents.at(-1);
  return {
    findings: [checkFile(file, found), ...checkTables(folder, found, isServed)],
    newestEventAtMs: newest === undefined ? null : eventTime(newest.bytes),
  };
}

/** What is the same of every database. */
export function checkTables(folder: string, found: Inspection, isServed: boolean): readonly Finding[] {
  return [checkSchema(found), ...checkLedger(folder, found), ...checkWaiting(found, isServed)];
}

async function inspect(file: string): Promise<SqliteInspection | Finding> {
  try {
    return await inspectDatabase({ path: file, events: TAIL_EVENTS, attempts: MANY_ATTEMPTS });
  } catch {
    // SQLite's own words may hold data.
    const advice =
      "Restore the data folder from a backup, and keep the damaged one for whoever looks into it.";
    return problem("database", `${file} cannot be read as a database of the gateway.`, advice);
  }
}

export function eventTime(bytes: string): number | null {
  const at: unknown = JSON.parse(bytes)?.at;
  return typeof at === "string" ? Date.parse(at) : null;
}

function checkFile(file: string, found: SqliteInspection): Finding {
  if (found.damage.length > 0) {
    return problem(
      "database",
      `${file} is damaged in ${found.damage.length} places or more.`,
      "Stop the gateway, keep a copy, and restore the data folder from a backup.",
    );
  }
  const size = `${sizeText(found.bytes)}, write-ahead log ${sizeText(found.walBytes)}`;
  return found.walBytes > LARGE_WAL
    ? warning(
        "database",
        `The write-ahead log is large (${size}).`,
        "Look for a process that reads the database for long, such as a backup; a restart of the gateway shortens it.",
      )
    : fine("database", `whole, ${size}`);
}

function checkSchema({ unknownMigrations, pendingMigrations }: Inspection): Finding {
  if (unknownMigrations.length > 0) {
    return problem(
      "schema",
      `A newer version has written the database (${unknownMigrations.join(", ")}).`,
      "Run that version, or a newer one.",
    );
  }
  return pendingMigrations.length > 0
    ? warning(
        "schema",
        `The database is of an older version (${pendingMigrations.join(", ")} to come).`,
        "Back up the data folder; the next start brings it up to date.",
      )
    : fine("schema", "up to date");
}

function checkLedger(folder: string, found: Inspection): readonly Finding[] {
  const file = path.join(folder, SIGNING_KEY_FILE);
  if (!existsSync(file)) {
    return [
      problem(
        "signing key",
        `There is no ${file}, but there is a ledger.`,
        "Restore the key from a backup: a start would make a new one, and the record would be of two keys.",
      ),
    ];
  }
  const publicKey = readPublicKey(file);
  if (publicKey === null) {
    return [problem("signing key", `${file} holds no key.`, "Restore it from a backup.")];
  }
  const keyId = keyIdOf(publicKey);
  const isSame = found.newestKeyId === null || found.newestKeyId === keyId;
  const tail = verifyTail({ events: found.newestEvents, heads: found.heads, publicKey });
  return [
    isSame
      ? fine("signing key", `${keyId}, the one that the newest chain was begun with`)
      : problem(
          "signing key",
          `The newest chain was begun with the key ${found.newestKeyId}, but the folder holds ${keyId}.`,
          "Find out who replaced the key, and restore the old one.",
        ),
    tail.problems.length === 0
      ? fine("ledger", `the newest ${tail.events} events and ${found.heads.length} signatures verify`)
      : problem("ledger", `${tail.problems.join("; ")}.`, "Run: atlas ledger verify"),
  ];
}

function readPublicKey(file: string): KeyObject | null {
  try {
    return createPublicKey(readFileSync(file));
  } catch (error) {
    if (error instanceof AtlasError) throw error;
    return null;
  }
}

function checkWaiting(found: Inspection, isServed: boolean): readonly Finding[] {
  const { open, outbox } = found.figures;
  const unknown = open.filter((group) => group.state === "UNKNOWN").reduce((sum, g) => sum + g.count, 0);
  const total = open.reduce((sum, group) => sum + group.count, 0);
  const findings: Finding[] = [];
  for (const { scope, target, sinceMs } of found.killSwitches) {
    const name = scope === "all" ? "everything" : `${scope} ${target}`;
    const sentence = `${name} is stopped since ${new Date(sinceMs).toISOString()}.`;
    findings.push(warning("kill switch", sentence, "When the reason is gone: atlas resume"));
  }
  if (unknown > 0) {
    const advice = "A person must find out what happened and say so: atlas cases resolve";
    findings.push(warning("cases", `Nobody knows whether ${unknown} calls ran.`, advice));
  }
  for (const { ref, attempts } of found.retried) {
    const sentence = `${ref} is authorized but could not reach its upstream ${attempts} times.`;
    findings.push(
      warning("cases", sentence, "See what this says of upstreams; withdraw the case if it should not run."),
    );
  }
  const overdueMs = found.dueAtMs === null ? 0 : Date.now() - found.dueAtMs;
  if (isServed && overdueMs > OVERDUE_MS && found.killSwitches.length === 0) {
    const sentence = `Something is due since ${Math.round(overdueMs / 1_000)} s and was not done.`;
    findings.push(
      problem("engine", sentence, "Look at the gateway's log, and restart it if that says nothing."),
    );
  }
  if (findings.length === 0) findings.push(fine("cases", `${total} open, none stuck`));
  findings.push(...checkOutbox(outbox));
  return findings;
}

function checkOutbox(outbox: Inspection["figures"]["outbox"]): readonly Finding[] {
  const findings: Finding[] = [];
  if (outbox.givenUp > 0) {
    const advice = "Correct `notify.webhook`; the cases themselves are in the console.";
    findings.push(warning("notifications", `${outbox.givenUp} were given up.`, advice));
  }
  const lateMs = outbox.oldestAtMs === null ? 0 : Date.now() - outbox.oldestAtMs;
  if (lateMs > OUTBOX_LATE_MS) {
    const sentence = `${outbox.waiting} wait, the oldest for ${Math.round(lateMs / 60_000)} minutes.`;
    findings.push(warning("notifications", sentence, "See whether the webhook's receiver answers."));
  }
  return findings.length > 0 ? findings : [fine("notifications", `${outbox.waiting} wait`)];
}
