import { type ChildProcess, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ATLAS = join(import.meta.dirname, "..", "..", "bin", "atlas.js");

/** Spares every process that tests start most of the compiling; belongs to this checkout's user only by name. */
export const COMPILE_CACHE = join(tmpdir(), `atlas-compile-cache-${process.getuid?.() ?? 0}`);

export interface GatewayProcessParams {
  /** Path of the configuration file. */
  readonly config: string;
  readonly dataDir: string;
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A module that the process loads before the gateway. */
  readonly preload?: string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A gateway that is starting, running or over. */
export interface LaunchedGateway {
  readonly pid: number;
  /** Its address, once it serves. @throws Error with its output when it ends before that. */
  readonly ready: Promise<string>;
  readonly exited: Promise<ProcessExit>;
  /** Everything it wrote so far, standard output and standard error. */
  output(): string;
  /** Does nothing when the process is gone. */
  signal(signal: NodeJS.Signals): void;
}

export interface GatewayProcess extends LaunchedGateway {
  readonly url: string;
  /** Ends it as an operator does, and waits for the end. */
  stop(): Promise<ProcessExit>;
}

/** Processes of this test run; a test that dies leaves none behind. */
const launched = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of launched) child.kill("SIGKILL");
});

/** Starts the real gateway, `atlas serve`, on a free port, and does not wait. */
export function launchGateway(params: GatewayProcessParams): LaunchedGateway {
  const preload = params.preload === undefined ? [] : ["--import", params.preload];
  const serve = ["serve", "--config", params.config, "--data", params.dataDir, "--port", "0"];
  const child = spawnAtlas({ nodeArgs: preload, args: serve, env: params.env ?? {} });
  let output = "";
  const { promise: ready, resolve, reject } = Promise.withResolvers<string>();
  const read = (chunk: unknown): void => {
    output += String(chunk);
    const url = /ready on (\S+)\n/.exec(output)?.[1];
    if (url !== undefined) resolve(url);
  };
  child.stdout?.on("data", read);
  child.stderr?.on("data", read);
  const exited = exitOf(child);
  void exited.then(({ code, signal }) =>
    reject(new Error(`the gateway ended before it served (code ${code}, signal ${signal}):\n${output}`)),
  );
  // Whoever does not wait for the start must not be told of its failure as an unhandled rejection.
  ready.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    ready,
    exited,
    output: () => output,
    signal: (signal) => void child.kill(signal),
  };
}

/** Starts the real gateway and waits until it serves. @throws Error with its output when it does not. */
export async function startGatewayProcess(params: GatewayProcessParams): Promise<GatewayProcess> {
  const gateway = launchGateway(params);
  const url = await gateway.ready;
  return {
    ...gateway,
    url,
    stop: () => {
      gateway.signal("SIGTERM");
      return gateway.exited;
    },
  };
}

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
}

/** Runs one command of the CLI to its end. */
export async function runAtlas(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<CommandResult> {
  const child = spawnAtlas({ nodeArgs: [], args, env });
  let output = "";
  const read = (chunk: unknown): void => {
    output += String(chunk);
  };
  child.stdout?.on("data", read);
  child.stderr?.on("data", read);
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  const { code } = await exitOf(child);
  await closed;
  return { code, output };
}

interface SpawnAtlas {
  readonly nodeArgs: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

function spawnAtlas({ nodeArgs, args, env }: SpawnAtlas): ChildProcess {
  const child = spawn(process.execPath, [...nodeArgs, ATLAS, ...args], {
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, ATLAS_API_KEY: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  launched.add(child);
  return child;
}

function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      launched.delete(child);
      resolve({ code, signal });
    });
  });
}
