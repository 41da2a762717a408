import { AtlasError } from "../../domain/errors.ts";

/** Where a database is, for people: never its password. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/**
 * Why a connection could not be opened, in a sentence with what to do.
 * SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function connectionProblem(error: unknown, place: Place): AtlasError {
  if (error instanceof AtlasError) return error;
  return new AtlasError("store.failed", sentenceOf(codeOf(error), place), { cause: error });
}

function sentenceOf(code: string | undefined, { host, port, database, user }: Place): string {
  const at = `${host}:${port}`;
  if (code === "28P01" || code === "28000") {
    return `The Postgres server at ${at} does not let the user ${user} in: wrong password, no such user, or not allowed from here. Check the user and the password of \`database.url\`.`;
  }
  if (code === "3D000") {
    return `There is no database ${database} on the Postgres server at ${at}. Create it (\`createdb ${database}\`), or correct \`database.url\`.`;
  }
  if (code === "42501") {
    return `The user ${user} may not use or create tables in the database ${database} at ${at}. Make it the database's owner.`;
  }
  if (code === "53300") {
    return `The Postgres server at ${at} takes no more connections. Raise its \`max_connections\`, or stop what holds them.`;
  }
  if (code === "57P03")
    return `The Postgres server at ${at} is starting up or shutting down. Try again soon.`;
  if (code !== undefined && UNREACHABLE.has(code)) {
    return `No Postgres server answers at ${at} (${code}). Start it, or correct \`database.url\`.`;
  }
  return `The database ${database} at ${at} cannot be opened${code === undefined ? "" : ` (${code})`}.`;
}

/** The transaction may be tried again: another one stood in its way (deadlock, serialization). */
export function isContention(error: unknown): boolean {
  const code = codeOf(error);
  return code === "40P01" || code === "40001";
}

/**
 * The connection is gone, whatever it was doing: the server ended it (class 57 and 08, and its own time limits in class 25), or
 * the network did.
 */
export function isConnectionLost(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined)
    return error instanceof Error && /connection|not queryable|timeout|closed/iu.test(error.message);
  return /^(?:57P0|08|25P03|57P05|E[A-Z]+)/u.test(code) && code !== "57014";
}

/** The database's own words may hold data; callers get a sentence, and the cause stays private. */
export function publicError(error: unknown): unknown {
  if (error instanceof AtlasError || !isOfDatabase(error)) return error;
  const sentence = isConnectionLost(error)
    ? "The database cannot be reached."
    : "The database refused the change.";
  return new AtlasError("store.failed", sentence, { cause: error });
}

/** From the driver, and not from our own code. */
function isOfDatabase(error: unknown): boolean {
  return isConnectionLost(error) || (error instanceof Error && "severity" in error);
}
