import { existsSync, statfsSync, statSync } from "node:fs";
import path from "node:path";
import { FIRST_CREDENTIALS_FILE } from "../../bootstrap.ts";
import { SIGNING_KEY_FILE } from "../../ledger/signing-key.ts";
import { type Finding, fine, problem, sizeText, warning } from "./finding.ts";

/** What `package.json` asks for: `node:sqlite` and the stripping of types without a flag. */
const OLDEST_NODE = [22, 18] as const;
/** A busy gateway writes about a kilobyte a call, so this is days, and that is hours. */
const LITTLE_SPACE = 1024 ** 3;
const NO_SPACE = 100 * 1024 ** 2;

export function checkRuntime(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return isOld
    ? problem("runtime", `Node ${version} is too old.`, `Use Node ${OLDEST_NODE.join(".")} or newer.`)
    : fine("runtime", `Node ${version}`);
}

/** Data folder, what lies in it, and the space around it. */
export function checkFolder(folder: string): readonly Finding[] {
  if (!existsSync(folder)) {
    return [
      warning(
        "data folder",
        `There is no folder ${folder}.`,
        "Start the gateway once, or name its folder with --data.",
      ),
    ];
  }
  return [
    checkRights(folder, "data folder", 0o700),
    ...[SIGNING_KEY_FILE, "atlas.db"]
      .filter((name) => existsSync(path.join(folder, name)))
      .map((name) => checkRights(path.join(folder, name), name, 0o600)),
    ...checkFirstCredentials(path.join(folder, FIRST_CREDENTIALS_FILE)),
    checkSpace(folder),
  ];
}

function checkRights(file: string, topic: string, wanted: number): Finding {
  const { mode, uid } = statSync(file);
  const rights = (mode & 0o777).toString(8);
  // Windows has other rights, which Node does not show.
  if (process.platform === "win32") return fine(topic, file);
  if ((mode & 0o077) !== 0) {
    return problem(
      topic,
      `${file} can be used by others (${rights}).`,
      `chmod ${wanted.toString(8)} ${file}`,
    );
  }
  const me = process.getuid?.();
  return me === undefined || uid === me || me === 0
    ? fine(topic, `${file} (${rights})`)
    : problem(topic, `${file} belongs to another user.`, "Run this as the user that runs the gateway.");
}

function checkFirstCredentials(file: string): readonly Finding[] {
  if (!existsSync(file)) return [];
  return [
    warning(
      "first credentials",
      `${file} still holds the first start's secrets.`,
      "Hand each credential to its holder, then delete the file.",
    ),
  ];
}

function checkSpace(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const sentence = `${sizeText(free)} free`;
  if (free < NO_SPACE)
    return problem(
      "disk",
      `Only ${sentence}.`,
      "Free some now: calls are refused when they cannot be recorded.",
    );
  return free < LITTLE_SPACE
    ? warning("disk", `Only ${sentence}.`, "Free some, or shorten `retention` and run: atlas prune")
    : fine("disk", sentence);
}

/** Wall clock less monotonic clock at one moment; what changes it is somebody setting the clock. */
export function clockOffsetMs(): number {
  return Date.now() - performance.now();
}

/** More than this between two readings of the offset is a clock that was set, not one that is being disciplined. */
const JUMP_MS = 1_000;
/** Events this far ahead of the clock were written under another time. */
const AHEAD_MS = 5_000;

/**
 * @param offsetBeforeMs {@link clockOffsetMs} when the doctor began
 * @param newestEventAtMs when the newest event was written, by the clock of then; null when there is none
 */
export function checkClock(offsetBeforeMs: number, newestEventAtMs: number | null): Finding {
  const jumpMs = Math.abs(clockOffsetMs() - offsetBeforeMs);
  if (jumpMs > JUMP_MS) {
    return problem(
      "clock",
      `The clock was moved by ${Math.round(jumpMs)} ms while this ran.`,
      "Let one time service slew the clock; deadlines go by it.",
    );
  }
  const aheadMs = newestEventAtMs === null ? 0 : newestEventAtMs - Date.now();
  return aheadMs > AHEAD_MS
    ? problem(
        "clock",
        `The newest event was written ${Math.round(aheadMs / 1_000)} s in the future: the clock went back since.`,
        "Correct the clock before anybody decides; deadlines go by it.",
      )
    : fine("clock", `${new Date().toISOString()}, steady, and not behind the ledger`);
}
