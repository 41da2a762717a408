import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const BIN = join(ROOT, "bin/atlas.js");

export interface InitRun {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly [string, ...string[]];
}

export interface Started {
  readonly child: ChildProcess;
  readonly said: { out: string; err: string };
}

/** A folder, and a home in it, in which `atlas init` is run as a process of its own. */
export interface InitFolder {
  readonly folder: string;
  readonly home: string;
  /** In an environment of its own, so that nothing of whoever runs the tests answers a question. */
  start(args: readonly string[], how?: InitRun): Started;
  /** Runs it to its end. */
  init(args: readonly string[], how?: InitRun): Promise<{ code: number; out: string; err: string }>;
  read(name: string): string;
  close(): Promise<void>;
}

export function openInitFolder(): InitFolder {
  const folder = mkdtempSync(join(tmpdir(), "atlas-init-"));
  const home = join(folder, "home");
  mkdirSync(home);
  const running: ChildProcess[] = [];

  function start(args: readonly string[], how: InitRun = {}): Started {
    const { input = "", env = {}, command = [process.execPath, BIN, "init"] } = how;
    const [program, ...first] = command;
    const child = spawn(program, [...first, ...args], {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: home, USERPROFILE: home, ...env },
    });
    running.push(child);
    child.stdin.end(input);
    const said = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said.err += text;
    });
    return { child, said };
  }

  return {
    folder,
    home,
    start,
    async init(args, how) {
      const { child, said } = start(args, how);
      const [code] = (await once(child, "close")) as [number];
      return { code, ...said };
    },
    read: (name) => readFileSync(join(folder, name), "utf8"),
    async close() {
      for (const child of running) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function saidUntil({ child, said }: Started, wanted: RegExp): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const look = () => wanted.test(said.out) && resolve(said.out);
  child.stdout?.on("data", look);
  child.once("close", (code) => reject(new Error(`ended with ${code}: ${said.out}${said.err}`)));
  look();
  return promise;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
