import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { StdioUpstreamConfig } from "../../config/config.ts";
import { AtlasError } from "../../domain/errors.ts";

const POSIX_ENVIRONMENT = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "SHELL", "TERM"];
const WINDOWS_ENVIRONMENT = [
  "APPDATA",
  "COMSPEC",
  "HOMEDRIVE",
  "HOMEPATH",
  "LOCALAPPDATA",
  "PATH",
  "PATHEXT",
  "PROCESSOR_ARCHITECTURE",
  "PROGRAMDATA",
  "PROGRAMFILES",
  "SYSTEMDRIVE",
  "SYSTEMROOT",
  "TEMP",
  "TMP",
  "USERNAME",
  "USERPROFILE",
  "WINDIR",
];

/** The whole environment of a child: what programs need to run at all, then what the operator configured. Our keys and tokens are not in it. */
export function childEnvironment(
  configured: Readonly<Record<string, string>>,
  ours: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of process.platform === "win32" ? WINDOWS_ENVIRONMENT : POSIX_ENVIRONMENT) {
    const value = ours[name];
    // Values that begin so are exported shell functions, which a shell in the child would run.
    if (value !== undefined && !value.startsWith("()")) environment[name] = value;
  }
  return { ...environment, ...configured };
}

export interface ChildProcess {
  readonly streams: ChildProcessWithoutNullStreams;
  readonly pid: number;
  /** Settles when the process is gone. */
  readonly exited: Promise<void>;
  /** Signals the whole process group, so that what the child started ends with it. */
  signalGroup(signal: "SIGTERM" | "SIGKILL"): void;
}

/** Groups to kill when this process exits; a child that ignores the end of its stdin would outlive us. */
const running = new Set<ChildProcess>();
let exitHookInstalled = false;

function killAllOnExit(): void {
  if (exitHookInstalled) return;
  exitHookInstalled = true;
  process.once("exit", () => {
    for (const child of running) child.signalGroup("SIGKILL");
  });
}

/**
 * Starts the upstream's command without a shell, in a process group of its own.
 *
 * @throws Error when it cannot be started; the message names neither arguments nor environment.
 */
export async function startChild(config: StdioUpstreamConfig): Promise<ChildProcess> {
  killAllOnExit();
  const streams = spawn(config.command, [...config.args], {
    cwd: config.cwd ?? undefined,
    env: childEnvironment(config.env),
    stdio: ["pipe", "pipe", "pipe"],
    shell: false,
    windowsHide: true,
    detached: process.platform !== "win32",
  });
  const exited = new Promise<void>((resolve) => {
    streams.once("exit", () => resolve());
    streams.once("error", () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    streams.once("spawn", resolve);
    streams.once("error", (error) =>
      reject(new AtlasError("upstream.unreachable", `the command could not be started (${codeOf(error)})`)),
    );
  });
  const { pid } = streams;
  if (pid === undefined) throw new AtlasError("upstream.unreachable", "the command could not be started");
  const child: ChildProcess = {
    streams,
    pid,
    exited,
    signalGroup: (signal) => signalGroup(streams, pid, signal),
  };
  running.add(child);
  void endLeftovers(child);
  return child;
}

/** What a dead child started holds its pipes and would run on without anybody to answer to. */
async function endLeftovers(child: ChildProcess): Promise<void> {
  await child.exited;
  child.signalGroup("SIGKILL");
  running.delete(child);
}

function signalGroup(
  streams: ChildProcessWithoutNullStreams,
  pid: number,
  signal: "SIGTERM" | "SIGKILL",
): void {
  try {
    if (process.platform === "win32") streams.kill(signal);
    else process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the group is gone, which is what was wanted. EPERM: macOS says so of a group of zombies.
    if (codeOf(error) !== "ESRCH" && codeOf(error) !== "EPERM") throw error;
  }
}

/** `code` of a system error, for messages that must not carry paths or arguments. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
