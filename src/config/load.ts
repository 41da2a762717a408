import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { AtlasError } from "../domain/errors.ts";
import type { Config } from "./config.ts";
import { type Problem, pathText, type ReadFile, readConfigText } from "./config-file.ts";
import { withDatabase } from "./database.ts";
import { normaliseEngine } from "./engine.ts";
import { explainIssue } from "./explain-issue.ts";
import { normaliseModel } from "./model.ts";
import { type ConfigOverrides, folderOf, normalise } from "./normalise.ts";
import { type Environment, referenceResolver } from "./references.ts";
import { configFileSchema } from "./schema.ts";

export interface LoadConfigParams {
  /** The YAML file; null for the defaults, which have no upstreams. */
  readonly path: string | null;
  readonly env: Environment;
  /** Folder of database and keys, from the working directory; a file can name it as `${ATLAS_DATA}`. */
  readonly dataDir: string;
  readonly overrides?: ConfigOverrides;
}

/** Keys that are no text, where a reference may stand for a number or a switch. */
const NUMBER_PATH =
  /^(?:listen\.port|risk\.threshold|risk\.money_floor|risk\.model\.per_minute|inngest\.concurrency)$/u;
const SWITCH_PATH = /^(?:single_operator|upstreams\.[^.]+\.trusted)$/u;

/**
 * Reads, checks and freezes the configuration.
 *
 * @throws AtlasError `config.invalid`; its message has one line for every problem,
 * `file:line:col key: what is wrong; what to do`, and never a value of the file.
 */
export function loadConfig({ path, env, dataDir, overrides = {} }: LoadConfigParams): Config {
  const name = path ?? "(defaults)";
  const folder = folderOf(path);
  const dataFolder = resolve(dataDir);
  const resolver = referenceResolver({ env: { ...env, ATLAS_DATA: dataFolder }, folder });
  const file = readConfigText(path === null ? "" : readText(path), resolver);
  if (file.problems.length > 0) throw invalid(name, file, file.problems);
  const value = withDatabase(withCoerced(file.value ?? {}, file.substituted, []), env);
  const parsed = configFileSchema.safeParse(value);
  if (!parsed.success) {
    throw invalid(
      name,
      file,
      parsed.error.issues.flatMap((issue) => explainIssue(issue, value)),
    );
  }
  const { model: modelFile } = parsed.data.risk;
  const model = modelFile === undefined ? null : normaliseModel(modelFile, env);
  if (typeof model === "string") throw invalid(name, file, [{ path: ["risk", "model"], message: model }]);
  const host = overrides.host ?? parsed.data.listen.host;
  const engine = normaliseEngine({ ...parsed.data, host }, env);
  if (typeof engine === "string") throw invalid(name, file, [{ path: ["engine"], message: engine }]);
  const overrideProblem = checkOverrides(overrides);
  if (overrideProblem !== undefined) throw new AtlasError("config.invalid", overrideProblem);
  return normalise(parsed.data, { model, engine }, folder, dataFolder, overrides);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new AtlasError(
      "config.invalid",
      `${path}: the file cannot be read (${code}); check its path and permissions`,
      { cause: error },
    );
  }
}

function invalid(name: string, file: ReadFile, problems: readonly Problem[]): AtlasError {
  const lines = problems.map((problem) => {
    const key = pathText(problem.path);
    return `${name}:${file.position(problem)}${key === "" ? "" : ` ${key}`}: ${problem.message}`;
  });
  return new AtlasError("config.invalid", lines.join("\n"));
}

function withCoerced(
  value: unknown,
  substituted: ReadonlySet<string>,
  path: readonly PropertyKey[],
): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => withCoerced(item, substituted, [...path, index]));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, withCoerced(item, substituted, [...path, key])]),
    );
  }
  const key = pathText(path);
  if (typeof value !== "string" || !substituted.has(key)) return value;
  if (NUMBER_PATH.test(key) && /^\d{1,9}$/u.test(value)) return Number(value);
  if (SWITCH_PATH.test(key) && /^(?:true|false)$/u.test(value)) return value === "true";
  return value;
}

function checkOverrides({ port, host }: ConfigOverrides): string | undefined {
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    return "--port: this is no port; write a whole number from 0 to 65535";
  }
  return host === "" ? "--host: it is empty; write a host name or address" : undefined;
}
