import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { AtlasError } from "../domain/errors.ts";
import { RELOAD_FILE, type ReloadOutcome, reloadOutcomeSchema } from "../reload.ts";
import { type LockHolder, readHolder } from "../store/sqlite/lock.ts";
import { dataDir, dataOption, type WhereOptions } from "./where.ts";

/** Longer than a gateway needs that is alive: its store answers within seconds, or fails. */
const WAIT_MS = 30_000;
const LOOK_EVERY_MS = 50;

export function reloadCommand(setExitCode: (code: number) => void): Command {
  return new Command("reload")
    .description(
      "let the running gateway read its configuration file again, and say what came of it (SIGHUP does the same, silently)",
    )
    .addOption(dataOption())
    .option("--json", "print the outcome as JSON")
    .action(async (options: WhereOptions & { readonly json?: boolean }) => {
      const outcome = await reload(dataDir(options));
      if (options.json === true) console.log(JSON.stringify(outcome, null, 2));
      else print(outcome);
      setExitCode(outcome.taken ? 0 : 1);
    });
}

/** @throws AtlasError when no gateway runs on the folder, it cannot be signalled, or it does not answer. */
async function reload(folder: string): Promise<ReloadOutcome> {
  const holder = readHolder(folder);
  if (holder === null || holder.pid === 0) {
    throw new AtlasError("config.invalid", `No gateway runs on ${folder}. Name its folder with --data.`);
  }
  const before = lastOutcome(folder, holder);
  signal(holder);
  const until = performance.now() + WAIT_MS;
  while (performance.now() < until) {
    const now = lastOutcome(folder, holder);
    if (now !== null && now.number > (before?.number ?? 0)) return now;
    await sleep(LOOK_EVERY_MS);
  }
  throw new AtlasError(
    "store.failed",
    `The gateway with process id ${holder.pid} has not answered within ${WAIT_MS / 1000} s; look at its log.`,
  );
}

function signal(holder: LockHolder): void {
  if (process.platform === "win32") {
    throw new AtlasError("config.invalid", "Windows has no reload signal; restart the gateway instead.");
  }
  try {
    process.kill(holder.pid, "SIGHUP");
  } catch (cause) {
    throw new AtlasError(
      "config.invalid",
      `The gateway with process id ${holder.pid} cannot be signalled; run this as the user, and in the container, that runs it.`,
      { cause },
    );
  }
}

/** What the gateway that runs now wrote last; null when it has not reloaded yet. */
function lastOutcome(folder: string, holder: LockHolder): ReloadOutcome | null {
  try {
    const read = reloadOutcomeSchema.safeParse(
      JSON.parse(readFileSync(path.join(folder, RELOAD_FILE), "utf8")),
    );
    return read.success && read.data.pid === holder.pid && read.data.at >= holder.startedAt
      ? read.data
      : null;
  } catch {
    return null;
  }
}

function print(outcome: ReloadOutcome): void {
  if (!outcome.taken) {
    console.error(`Not reloaded; the configuration before it stays in force.\n${outcome.problem ?? ""}`);
    return;
  }
  console.log(
    outcome.changed.length === 0
      ? "Reloaded; nothing had changed."
      : `Reloaded; changed: ${outcome.changed.join(", ")}.`,
  );
}
