import { Command } from "commander";
import { loadConfig } from "../config/load.ts";
import { systemClock } from "../domain/clock.ts";
import { countExpired, eraseExpired } from "../governance/erase-expired.ts";
import { withAdminStore } from "./admin-store.ts";
import { configOption, configPath, dataDir, dataOption, type WhereOptions } from "./where.ts";

interface PruneOptions extends WhereOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function pruneCommand(): Command {
  return new Command("prune")
    .description(
      "erase the texts of ended cases whose time is over (`retention` in the configuration); a running gateway does it daily",
    )
    .option("--dry-run", "only count them")
    .option("--json", "print the counts as JSON")
    .addOption(configOption())
    .addOption(dataOption())
    .action(prune);
}

async function prune(options: PruneOptions): Promise<void> {
  const { retention } = loadConfig({
    path: configPath(options),
    env: process.env,
    dataDir: dataDir(options),
  });
  const cases = await withAdminStore(options, async (store) => {
    const deps = { store, clock: systemClock };
    if (options.dryRun === true) return countExpired(retention, deps);
    const erased = await eraseExpired(retention, deps);
    return { results: erased.results.cases, texts: erased.texts.cases };
  });
  if (options.json === true) {
    console.log(JSON.stringify({ dry_run: options.dryRun === true, cases }, null, 2));
    return;
  }
  const verb = options.dryRun === true ? "Would erase" : "Erased";
  console.log(`${verb} the results of ${cases.results} cases and the other texts of ${cases.texts} cases.`);
}
