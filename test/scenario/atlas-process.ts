import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const BIN = join(ROOT, "bin/atlas.js");

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line to its end, with this text on its standard input. Whatever comes of it, nobody is shown a stack. */
export async function runAtlas(args: readonly string[], input = ""): Promise<Finished> {
  const child = start(args);
  child.stdin.end(input);
  const output = collect(child);
  const [code] = (await once(child, "close")) as [number | null];
  const finished = { code, stdout: output.stdout(), stderr: output.stderr() };
  expect(finished.stdout + finished.stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  return finished;
}

export interface ServedGateway {
  readonly url: string;
  readonly pid: number;
  readonly stdout: () => string;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
}

/** `atlas serve` on a free port; settles when it says that it is ready. */
export async function serveAtlas(args: readonly string[]): Promise<ServedGateway> {
  const child = start(["serve", "--port", "0", ...args]);
  const output = collect(child);
  const closed = once(child, "close") as Promise<[number | null]>;
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", () => {
      const ready = /is ready on (http:\S+)/.exec(output.stdout())?.[1];
      if (ready !== undefined) resolve(ready);
    });
    child.once("close", (code) => reject(new Error(`serve ended with ${code}: ${output.stderr()}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    stdout: output.stdout,
    stop: async () => {
      child.kill("SIGTERM");
      const [code] = await closed;
      return code;
    },
  };
}

function start(args: readonly string[]): ChildProcessWithoutNullStreams {
  const env = Object.entries(process.env).filter(([name]) => !name.startsWith("ATLAS_"));
  return spawn(process.execPath, [BIN, ...args], { cwd: ROOT, env: Object.fromEntries(env) });
}

function collect(child: ChildProcessWithoutNullStreams) {
  const chunks = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      chunks[name] += text;
    });
  }
  return { stdout: () => chunks.stdout, stderr: () => chunks.stderr };
}
