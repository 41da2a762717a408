import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fchmodSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { AtlasError } from "../domain/errors.ts";
import { type LockHolder, readHolder } from "../store/sqlite/lock.ts";
import { bridgeStdio, checkedKey, firstAgentKey, tellPeople } from "./connect.ts";
import { configOption, configPath, dataDir, dataOption, gatewayUrl, type WhereOptions } from "./where.ts";

/** Output of a gateway that nobody has a terminal for. */
const LOG_FILE = "gateway.log";

/** Clients give a server about a minute to answer the first request. */
const START_WITHIN_MS = 50_000;
const POLL_MS = 100;

const ATLAS = fileURLToPath(new URL("../../bin/atlas.js", import.meta.url));

export function stdioCommand(): Command {
  return new Command("stdio")
    .description(
      "bridge an MCP client that only speaks stdio to the gateway here, which is started if need be",
    )
    .addOption(configOption())
    .addOption(dataOption())
    .addHelpText(
      "after",
      "\nThe gateway serves every client of the data folder and outlives them all, so that a case can be approved when the client that asked is closed.",
    )
    .action(stdio);
}

async function stdio(options: WhereOptions): Promise<void> {
  const agentKey = checkedKey(process.env["ATLAS_API_KEY"]);
  await findOrStart(options);
  await bridgeStdio(() => ({ url: gatewayUrl(options), agentKey: agentKey ?? firstAgentKey(options) }));
}

/**
 * Two clients may start at once. Both may start a gateway then; the data folder's lock lets one live, and both find it.
 *
 * @throws AtlasError when no gateway runs and none can be started
 */
async function findOrStart(options: WhereOptions): Promise<void> {
  const folder = dataDir(options);
  const deadline = performance.now() + START_WITHIN_MS;
  let started: StartedGateway | null = null;
  while (performance.now() < deadline) {
    const hasEnded = started !== null && isOver(started.child);
    // Looked at after the end, so that whoever won the lock is seen.
    const holder = readHolder(folder);
    if (holder !== null && (await isLive(holder))) {
      if (started !== null && holder.pid === started.child.pid) announce(holder, folder, started);
      return;
    }
    if (started !== null && holder !== null && holder.pid !== started.child.pid) started.hadRival = true;
    if (holder === null && started !== null && hasEnded && !started.hadRival) throw couldNotStart(started);
    // Nobody is there: not yet, or not any more, which is also what is left of a rival that was just stopping.
    if (holder === null && (started === null || hasEnded)) started = startDetached(options, folder);
    await sleep(POLL_MS);
  }
  throw new AtlasError(
    "store.failed",
    `The gateway on ${folder} was not ready after ${START_WITHIN_MS / 1000} seconds. It may still be starting its upstreams: see ${path.join(folder, LOG_FILE)}, then start the client again.`,
  );
}

function announce(holder: LockHolder, folder: string, { logFile }: StartedGateway): void {
  tellPeople(`Started the ATLAS gateway at ${holder.url}; it goes on when this client ends.`);
  tellPeople(`  for reviewers   ${holder.url}/console`);
  tellPeople(`  data folder     ${folder}   (its log: ${logFile})`);
  tellPeople(`  to stop it      ${stopCommand(holder.pid)}`);
}

function stopCommand(pid: number): string {
  return process.platform === "win32" ? `taskkill /PID ${pid} /F` : `kill ${pid}`;
}

interface StartedGateway {
  readonly child: ChildProcess;
  readonly logFile: string;
  /** Where this start's lines begin in the log. */
  readonly logFrom: number;
  /** Whether another gateway was seen on the folder since. */
  hadRival: boolean;
}

/** The client's process group must not take the gateway along, nor may its pipes be held open. */
function startDetached(options: WhereOptions, folder: string): StartedGateway {
  const logFile = path.join(folder, LOG_FILE);
  const log = openLog(folder, logFile);
  try {
    const args = ["serve", "--config", configPath(options), "--data", folder, "--port", "0"];
    const logFrom = fstatSync(log).size;
    const child = spawn(process.execPath, [ATLAS, ...args], {
      detached: true,
      stdio: ["ignore", log, log],
      windowsHide: true,
    });
    // A process that could not be made has no process id, and is reported as one that ended.
    child.on("error", () => undefined);
    child.unref();
    return { child, logFile, logFrom, hadRival: false };
  } finally {
    closeSync(log);
  }
}

/** @throws AtlasError when the folder cannot be used */
function openLog(folder: string, file: string): number {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const log = openSync(file, "a", 0o600);
    fchmodSync(log, 0o600);
    return log;
  } catch (cause) {
    throw new AtlasError(
      "store.failed",
      `The data folder ${folder} cannot be used. Name one that this user may write with --data.`,
      { cause },
    );
  }
}

function isOver(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function isLive({ url }: LockHolder): Promise<boolean> {
  if (url === null) return false;
  try {
    const response = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    // Not yet, or the address of a gateway that crashed before.
    return false;
  }
}

function couldNotStart({ logFile, logFrom }: StartedGateway): AtlasError {
  const said = readFileSync(logFile).subarray(logFrom).toString("utf8").trim();
  return new AtlasError(
    "config.invalid",
    `The gateway could not be started. ${said === "" ? "" : `It says: ${said} `}(log: ${logFile})`,
  );
}
