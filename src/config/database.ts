import { z } from "zod";
import type { DatabaseConfig } from "./config.ts";
import { readConfigText } from "./config-file.ts";
import { type Environment, referenceResolver } from "./references.ts";

/** Names the database of a gateway whose file does not. */
export const DATABASE_VARIABLE = "ATLAS_DATABASE_URL";

const postgresUrl = z.string().superRefine((value, context) => {
  const problem = problemOf(value);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

function problemOf(value: string): string | undefined {
  const form = "write one such as postgres://atlas:${DATABASE_PASSWORD}@db.example.org/atlas";
  if (!URL.canParse(value)) return `this is no URL of a Postgres database; ${form}`;
  const { protocol, pathname } = new URL(value);
  if (protocol !== "postgres:" && protocol !== "postgresql:") {
    return `the URL is not one of a Postgres database; ${form}, or leave \`database\` out for SQLite`;
  }
  return pathname.length > 1 ? undefined : `the URL names no database; ${form}`;
}

export const databaseSchema = z.strictObject({ url: postgresUrl });

export function normaliseDatabase(file: z.output<typeof databaseSchema> | undefined): DatabaseConfig {
  return file === undefined ? { kind: "sqlite" } : { kind: "postgres", url: file.url };
}

/** The file's value, with the database of the environment where the file names none. */
export function withDatabase(value: unknown, env: Environment): unknown {
  const url = env[DATABASE_VARIABLE];
  if (url === undefined || url === "") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value) || "database" in value)
    return value;
  return { ...value, database: { url } };
}

export interface FindDatabaseParams {
  /** Text of the configuration file, and the folder it lies in; null for none. */
  readonly file: { readonly text: string; readonly folder: string } | null;
  readonly env: Environment;
}

/**
 * Which database a gateway uses, without the rest of its configuration: the command that stops everything must not fail because
 * some upstream's secret is not set where it runs.
 *
 * @returns null when neither the file nor the environment names one that can be used
 */
export function findDatabase({ file, env }: FindDatabaseParams): DatabaseConfig | null {
  const read =
    file === null ? undefined : readConfigText(file.text, referenceResolver({ env, folder: file.folder }));
  const broken = read?.problems.some(({ path }) => path.length === 0 || path[0] === "database");
  const parsed = z
    .looseObject({ database: databaseSchema.optional() })
    .safeParse(withDatabase(broken === true ? {} : (read?.value ?? {}), env));
  return parsed.success && parsed.data.database !== undefined
    ? normaliseDatabase(parsed.data.database)
    : null;
}
