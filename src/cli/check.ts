import { Command } from "commander";
import { checkConfig } from "../config/check.ts";
import { loadConfig } from "../config/load.ts";
import { configOption, configPath, dataDir, type WhereOptions } from "./where.ts";

export function checkCommand(setExitCode: (code: number) => void): Command {
  return new Command("check")
    .description("check the configuration with the code that a start runs")
    .addOption(configOption())
    .action((options: WhereOptions) => {
      const file = configPath(options);
      const config = loadConfig({ path: file, env: process.env, dataDir: dataDir(options) });
      const warnings = checkConfig(config);
      for (const warning of warnings) console.warn(`warning: ${warning}`);
      console.log(
        `${file}: ${config.upstreams.length} upstreams, ${config.policy.rules.length} rules, ${warnings.length} warnings`,
      );
      setExitCode(0);
    });
}
