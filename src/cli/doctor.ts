import { Command } from "commander";
import { checkConfig } from "../config/check.ts";
import type { Config } from "../config/config.ts";
import { findDatabase } from "../config/database.ts";
import { loadConfig } from "../config/load.ts";
import { AtlasError } from "../domain/errors.ts";
import { fileAt } from "../open-store.ts";
import { readHolder } from "../store/sqlite/lock.ts";
import { checkDatabase } from "./doctor/database.ts";
import { checkEngine } from "./doctor/engine.ts";
import { type Finding, fine, problem, warning } from "./doctor/finding.ts";
import { checkGateway } from "./doctor/gateway.ts";
import { checkClock, checkFolder, checkRuntime, clockOffsetMs } from "./doctor/machine.ts";
import { checkPostgres } from "./doctor/postgres.ts";
import { checkUpstreams } from "./doctor/upstreams.ts";
import { configOption, configPath, dataDir, dataOption, type WhereOptions } from "./where.ts";

export function doctorCommand(setExitCode: (code: number) => void): Command {
  return new Command("doctor")
    .description(
      "look at everything a gateway needs, beside a running one or without, and say what to do; " +
        "exit code 0 when nothing is broken (warnings included), 1 when something is, 2 when it was asked wrongly",
    )
    .option("--json", "print the findings as JSON")
    .addOption(configOption())
    .addOption(dataOption())
    .action(async (options: WhereOptions & { readonly json?: boolean }) => {
      const findings = await examine(options);
      const ok = findings.every((finding) => finding.level !== "problem");
      if (options.json === true) console.log(JSON.stringify({ ok, findings }, null, 2));
      else print(findings);
      setExitCode(ok ? 0 : 1);
    });
}

async function examine(options: WhereOptions): Promise<readonly Finding[]> {
  const offsetMs = clockOffsetMs();
  const folder = dataDir(options);
  const holder = readHolder(folder);
  const { config, findings } = checkFile(options);
  const database = await checkStore(folder, config, options, holder !== null);
  return [
    checkRuntime(),
    ...findings,
    ...checkFolder(folder),
    ...(await checkGateway(folder, holder)),
    ...database.findings,
    ...(config === null ? [] : [...(await checkEngine(config)), ...(await checkUpstreams(config))]),
    checkClock(offsetMs, database.newestEventAtMs),
  ];
}

/** The configuration says which database it is; where it cannot be taken, what the running gateway's commands go by. */
function checkStore(folder: string, config: Config | null, options: WhereOptions, isServed: boolean) {
  const file = configPath(options);
  const found = config?.database ?? findDatabase({ file: fileAt(file), env: process.env });
  return found?.kind === "postgres"
    ? checkPostgres(folder, found.url, isServed)
    : checkDatabase(folder, isServed);
}

/** null: the file cannot be taken, so nobody knows its upstreams. */
function checkFile(options: WhereOptions): {
  readonly config: Config | null;
  readonly findings: readonly Finding[];
} {
  const file = configPath(options);
  try {
    const config = loadConfig({ path: file, env: process.env, dataDir: dataDir(options) });
    const warnings = checkConfig(config).map((sentence) =>
      warning("configuration", sentence, `See ${file}.`),
    );
    return { config, findings: warnings.length > 0 ? warnings : [fine("configuration", file)] };
  } catch (error) {
    if (!(error instanceof AtlasError)) throw error;
    const lines = error.message.split("\n");
    return {
      config: null,
      findings: lines.map((line) => problem("configuration", line, "Correct it, then: atlas check")),
    };
  }
}

const MARKS = { ok: "ok", warning: "WARN", problem: "FAIL" } as const;

function print(findings: readonly Finding[]): void {
  const width = Math.max(...findings.map((finding) => finding.topic.length));
  for (const { topic, level, sentence, advice } of findings) {
    console.log(`${MARKS[level].padEnd(4)}  ${topic.padEnd(width)}  ${sentence}`);
    if (advice !== null) console.log(`${" ".repeat(width + 8)}-> ${advice}`);
  }
  const count = (level: Finding["level"]) => findings.filter((finding) => finding.level === level).length;
  console.log(`\n${count("problem")} broken, ${count("warning")} to look at, ${count("ok")} fine`);
}
