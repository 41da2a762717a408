import { AtlasError } from "../../domain/errors.ts";
import { inspectPostgres, type PostgresInspection } from "../../store/postgres/inspection.ts";
import { checkTables, type DatabaseFindings, eventTime, MANY_ATTEMPTS, TAIL_EVENTS } from "./database.ts";
import { type Finding, fine, problem, sizeText, warning } from "./finding.ts";

/** Deadlines go by the database's clock, and tokens and logs by this machine's; people compare them. */
const SKEW_MS = 2_000;

/** The Postgres database, and what waits in it. */
export async function checkPostgres(
  folder: string,
  url: string,
  isServed: boolean,
): Promise<DatabaseFindings> {
  let found: PostgresInspection;
  try {
    found = await inspectPostgres({ url, events: TAIL_EVENTS, attempts: MANY_ATTEMPTS });
  } catch (error) {
    if (!(error instanceof AtlasError)) throw error;
    return { findings: [problem("database", error.message, "See docs/postgres.md.")], newestEventAtMs: null };
  }
  const newest = found.tables?.newestEvents.at(-1);
  return {
    findings: [
      ...checkServer(found),
      checkSkew(found),
      ...(found.tables === null ? [] : checkTables(folder, found.tables, isServed)),
    ],
    newestEventAtMs: newest === undefined ? null : eventTime(newest.bytes),
  };
}

function checkServer(found: PostgresInspection): readonly Finding[] {
  if (found.unfit !== null) return [problem("database", found.unfit, "See docs/postgres.md.")];
  const fitting = fine("database", `${found.server}, ${sizeText(found.bytes)}`);
  if (found.durability.length === 0) return [fitting];
  const off = found.durability.map((setting) => `\`${setting}\``).join(" and ");
  const sentence = `${off} is off: a crash of the server's machine may lose or damage what was acknowledged.`;
  return [fitting, warning("database", sentence, "Turn it on in the server's configuration.")];
}

function checkSkew({ clockAheadMs, uncertaintyMs }: PostgresInspection): Finding {
  const aheadMs = Math.max(0, Math.abs(clockAheadMs) - uncertaintyMs);
  if (aheadMs <= SKEW_MS) return fine("database clock", "agrees with this machine's");
  const direction = clockAheadMs > 0 ? "ahead of" : "behind";
  return warning(
    "database clock",
    `The database's clock is ${(aheadMs / 1000).toFixed(1)} s ${direction} this machine's. Deadlines go by the database's.`,
    "Let both synchronise their clocks (NTP).",
  );
}
