import { AtlasError } from "../../domain/errors.ts";
import type { Session } from "./session.ts";

/** 13 is the oldest that was still maintained when this was written, and has the 64-bit transaction ids that are asked for. */
const OLDEST = 130_000;

interface Settings {
  readonly version: number;
  readonly encoding: string;
  readonly synchronous: string;
  readonly standby: boolean;
  readonly schema: string | null;
}

export interface Fitness {
  /** Schema that its tables are in. */
  readonly schema: string;
  /** Why it cannot keep what is acknowledged, with what to change; null when it can. */
  readonly problem: string | null;
}

/** @throws AtlasError `store.failed` with what to change when the database cannot keep what is acknowledged */
export async function requireFit(session: Session): Promise<string> {
  const { schema, problem } = await readFitness(session);
  if (problem !== null) throw new AtlasError("store.failed", problem);
  return schema;
}

export async function readFitness(session: Session): Promise<Fitness> {
  const { rows } = await session.exec(
    `select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
       current_setting('synchronous_commit') as synchronous, pg_is_in_recovery() as standby, current_schema() as schema`,
  );
  const [settings] = rows as readonly Settings[];
  if (settings === undefined) throw new Error("a select without a condition gave no row");
  return { schema: settings.schema ?? "public", problem: problemOf(settings) };
}

function problemOf({ version, encoding, synchronous, standby, schema }: Settings): string | null {
  if (version < OLDEST) {
    return `The database is Postgres ${Math.floor(version / 10_000)}; the gateway needs Postgres 13 or newer.`;
  }
  if (encoding !== "UTF8") {
    return `The database's encoding is ${encoding}; the gateway needs UTF8. Create the database with \`createdb --encoding=UTF8 --template=template0\`.`;
  }
  if (synchronous === "off") {
    return "The database acknowledges commits before they are on disk (`synchronous_commit` is off), so a crash would lose decisions. Set it to `on` for this database or user.";
  }
  if (standby)
    return "The database is a standby and cannot be written to. Name the primary in `database.url`.";
  if (schema === null) {
    return "The user's `search_path` names no schema that exists. Create the schema, or correct the path.";
  }
  return null;
}
