import { renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { configChange } from "./config/change.ts";
import type { Config } from "./config/config.ts";
import type { Clock } from "./domain/clock.ts";
import { AtlasError } from "./domain/errors.ts";
import type { Log } from "./telemetry/log.ts";

/** In the data folder: how the last reload went, for `atlas reload`. */
export const RELOAD_FILE = "reload.json";

export const reloadOutcomeSchema = z.object({
  /** Process that reloaded. */
  pid: z.int(),
  /** 1 for the first reload of that process. */
  number: z.int(),
  /** ISO-8601 UTC. */
  at: z.string(),
  /** The file is in force now; otherwise the configuration before it stays. */
  taken: z.boolean(),
  /** Keys of the file that have another value than before. */
  changed: z.array(z.string()),
  /** Why it was not taken, with what to do; null when it was. */
  problem: z.string().nullable(),
});
export type ReloadOutcome = Readonly<z.infer<typeof reloadOutcomeSchema>>;

export interface ReloaderDeps {
  readonly dataDir: string;
  readonly inForce: () => Config;
  /** Puts the configuration in force, in one step for each call. */
  readonly take: (next: Config) => Promise<void>;
  readonly onOutcome: (outcome: ReloadOutcome) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Reloader {
  /** Reads the configuration anew and puts it in force, or keeps the old one and says why. One at a time; never throws. */
  reload(load: () => Config): Promise<ReloadOutcome>;
  /** How the last reload went; null before the first. */
  last(): ReloadOutcome | null;
  /** Waits for a reload under way; later ones are refused. */
  close(): Promise<void>;
}

export function createReloader(deps: ReloaderDeps): Reloader {
  let number = 0;
  let closed = false;
  let last: ReloadOutcome | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  async function reloadNow(load: () => Config): Promise<ReloadOutcome> {
    number += 1;
    const { changed, problem } = closed ? STOPPING : await tryReload(load, deps);
    const at = new Date(deps.clock.nowMs()).toISOString();
    last = { pid: process.pid, number, at, taken: problem === null, changed: [...changed], problem };
    if (problem === null) deps.log.info({ changed }, "The configuration was reloaded.");
    else deps.log.error({ changed, problem }, "The configuration was not reloaded; the one before stays.");
    deps.onOutcome(last);
    writeOutcome(deps.dataDir, last);
    return last;
  }

  return {
    reload(load) {
      const outcome = turn.then(() => reloadNow(load));
      turn = outcome.catch(() => undefined);
      return outcome;
    },
    last: () => last,
    async close() {
      closed = true;
      await turn;
    },
  };
}

type Attempt = Pick<ReloadOutcome, "changed" | "problem">;

const STOPPING: Attempt = { changed: [], problem: "The gateway is stopping." };

async function tryReload(load: () => Config, deps: ReloaderDeps): Promise<Attempt> {
  let changed: readonly string[] = [];
  try {
    const next = load();
    const change = configChange(deps.inForce(), next);
    changed = change.changed;
    if (change.needRestart.length > 0) {
      const keys = change.needRestart.map((key) => `\`${key}\``).join(", ");
      const problem = `${keys} cannot change while the gateway runs. Undo that change, or restart the gateway.`;
      return { changed: [...changed], problem };
    }
    await deps.take(next);
    return { changed: [...changed], problem: null };
  } catch (error) {
    deps.log.debug({ error }, "A reload failed.");
    // What is not ours may quote the file.
    const problem =
      error instanceof AtlasError
        ? error.message
        : "The configuration could not be put in force; see the log.";
    return { changed: [...changed], problem };
  }
}

function writeOutcome(dataDir: string, outcome: ReloadOutcome): void {
  const file = path.join(dataDir, RELOAD_FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(outcome)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
