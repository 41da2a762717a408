import { Command } from "commander";
import { checkConfig } from "../config/check.ts";
import { loadConfig } from "../config/load.ts";
import { AtlasError } from "../domain/errors.ts";
import { configOption, configPath, dataDir, type WhereOptions } from "./where.ts";

/** What `atlas check --json` prints. */
interface CheckReport {
  readonly file: string;
  /** A start would take the file. */
  readonly ok: boolean;
  /** One line for each thing that a start would refuse, with its place. */
  readonly problems: readonly string[];
  /** What is allowed but probably not meant. */
  readonly warnings: readonly string[];
  readonly upstreams: number;
  readonly rules: number;
}

export function checkCommand(setExitCode: (code: number) => void): Command {
  return new Command("check")
    .description(
      "check the configuration with the code that a start runs; exit code 0 when a start would take it, warnings or not, else 1",
    )
    .option("--json", "print the report as JSON")
    .addOption(configOption())
    .action((options: WhereOptions & { readonly json?: boolean }) => {
      const report = checkFile(options);
      if (options.json === true) console.log(JSON.stringify(report, null, 2));
      else print(report);
      setExitCode(report.ok ? 0 : 1);
    });
}

function checkFile(options: WhereOptions): CheckReport {
  const file = configPath(options);
  try {
    const config = loadConfig({ path: file, env: process.env, dataDir: dataDir(options) });
    const counts = { upstreams: config.upstreams.length, rules: config.policy.rules.length };
    return { file, ok: true, problems: [], warnings: checkConfig(config), ...counts };
  } catch (error) {
    if (!(error instanceof AtlasError)) throw error;
    return { file, ok: false, problems: error.message.split("\n"), warnings: [], upstreams: 0, rules: 0 };
  }
}

function print(report: CheckReport): void {
  for (const problem of report.problems) console.error(problem);
  for (const warning of report.warnings) console.warn(`warning: ${warning}`);
  if (!report.ok) return;
  console.log(
    `${report.file}: ${report.upstreams} upstreams, ${report.rules} rules, ${report.warnings.length} warnings`,
  );
}
