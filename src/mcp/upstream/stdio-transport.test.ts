import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  createRecordingLog,
  createUpstreamBench,
  type UpstreamBench,
} from "../../../test/servers/upstream-bench.ts";
import { childEnvironment } from "./child-process.ts";
import type { RawRequest } from "./raw-transport.ts";
import { StdioTransport } from "./stdio-transport.ts";

const GRACE = { afterEofMs: 50, afterTermMs: 50 };

let bench: UpstreamBench;
let transport: StdioTransport | null;

beforeEach(() => {
  bench = createUpstreamBench();
  transport = null;
});

afterEach(async () => {
  await transport?.close();
  bench.dispose();
});

function scripted(
  code: string,
  env: Record<string, string> = {},
  log = createRecordingLog(),
  maxResultBytes = 1024 * 1024,
): StdioTransport {
  const config = bench.stdio({ args: ["-e", code], env });
  transport = new StdioTransport({ config, log, maxResultBytes, grace: GRACE });
  return transport;
}

const request = (over: Partial<RawRequest> = {}): RawRequest => ({
  id: "atlas-1",
  method: "tools/call",
  text: '{"jsonrpc":"2.0","id":"atlas-1","method":"tools/call","params":{}}',
  routing: { meta: {} },
  headers: {},
  mayWrite: () => true,
  onProgress: undefined,
  signal: new AbortController().signal,
  ...over,
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie that nobody has reaped yet is dead, too.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    // No such process.
    return false;
  }
}

describe("childEnvironment", () => {
  test("is a short list of ours and what the operator configured", () => {
    const ours = {
      PATH: "/bin",
      HOME: "/h",
      ATLAS_API_KEY: "secret",
      LANG: "() { :; }",
      NODE_OPTIONS: "--x",
    };
    expect(childEnvironment({ MINE: "1", HOME: "/other" }, ours)).toEqual({
      PATH: "/bin",
      HOME: "/other",
      MINE: "1",
    });
  });
});

describe("StdioTransport", () => {
  test("gives the child nothing else of our environment", async () => {
    process.env["ATLAS_TEST_SECRET"] = "do-not-pass-on";
    try {
      const code =
        "require('readline').createInterface({input:process.stdin}).on('line',()=>console.log(JSON.stringify({jsonrpc:'2.0',id:'atlas-1',result:process.env})))";
      await scripted(code, { WELFARE_DB: "/tmp/w" }).start();
      const reply = await transport?.exchange(request());
      if (reply?.kind !== "result") throw new Error("no result");
      const allowed = new Set([
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "TMPDIR",
        "USER",
        "SHELL",
        "TERM",
        "WELFARE_DB",
      ]);
      expect(Object.keys(reply.result).filter((name) => !allowed.has(name))).toEqual([]);
      expect(reply.result).toMatchObject({ WELFARE_DB: "/tmp/w" });
    } finally {
      delete process.env["ATLAS_TEST_SECRET"];
    }
  });

  test("cannot start what is not there, and does not say with which arguments", async () => {
    const config = bench.stdio({ command: "/no/such/command", args: ["--token", "s3cret"] });
    transport = new StdioTransport({
      config,
      log: createRecordingLog(),
      maxResultBytes: 1024 * 1024,
      grace: GRACE,
    });
    await expect(transport.start()).rejects.toThrow(/^the command could not be started \(ENOENT\)$/);
  });

  test("ends a whole process group that ignores the end of its input and SIGTERM", async () => {
    const pidFile = bench.file("grandchild");
    const config = bench.stdio({}, ["--ignore-end", "--spawn-child", pidFile]);
    transport = new StdioTransport({
      config,
      log: createRecordingLog(),
      maxResultBytes: 1024 * 1024,
      grace: GRACE,
    });
    await transport.start();
    const grandchild = await vi.waitFor(() => {
      const pid = Number(readFileSync(pidFile, "utf8"));
      expect(pid).toBeGreaterThan(0);
      return pid;
    }, 20_000);
    const child = transport.pid ?? 0;
    expect([isAlive(child), isAlive(grandchild)]).toEqual([true, true]);
    await transport.close();
    await vi.waitFor(() => expect([isAlive(child), isAlive(grandchild)]).toEqual([false, false]));
  });

  test("a child that dies settles what waits, after what it left in the pipe", async () => {
    const line = (id: string): string => `console.log(JSON.stringify({jsonrpc:'2.0',id:'${id}',result:{}}))`;
    const closed = vi.fn<() => void>();
    await scripted(`process.stdin.once('data',()=>{${line("atlas-1")};process.exit(1)})`).start();
    if (transport !== null) transport.onclose = closed;
    const replies = await Promise.all([
      transport?.exchange(request()),
      transport?.exchange(request({ id: "atlas-2", text: '{"id":"atlas-2"}' })),
    ]);
    expect(replies[0]?.kind).toBe("result");
    expect(["lost", "not_sent"]).toContain(replies[1]?.kind);
    await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce());
    expect(await transport?.exchange(request())).toMatchObject({ kind: "not_sent", stale: true });
  });

  test("a line without end kills the connection", async () => {
    const code = "process.stdout.write('x'.repeat(1024*1024));setInterval(()=>{},1000)";
    await scripted(code, {}, createRecordingLog(), 1024).start();
    expect(await transport?.exchange(request())).toMatchObject({
      kind: expect.stringMatching(/lost|not_sent/),
    });
    const pid = transport?.pid ?? 0;
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false));
  });

  test("what a full pipe did not take is not sent later", async () => {
    const go = bench.file("go");
    const got = bench.file("got");
    const code = `const fs=require('fs');const t=setInterval(()=>{if(fs.existsSync('${go}')){clearInterval(t);process.stdin.on('data',d=>fs.appendFileSync('${got}',d))}},10)`;
    await scripted(code).start();
    const abandoned = new AbortController();
    const filler = transport?.exchange(
      request({ id: "atlas-1", text: "a".repeat(2_000_000), signal: abandoned.signal }),
    );
    let asked = 0;
    const second = transport?.exchange(
      request({ id: "atlas-2", text: "SECOND", mayWrite: () => (asked += 1) > 1 }),
    );
    writeFileSync(go, "");
    expect(await second).toMatchObject({ kind: "not_sent", late: true });
    expect(asked).toBe(1);
    abandoned.abort();
    expect(await filler).toEqual({ kind: "lost" });
    await vi.waitFor(() => expect(readFileSync(got, "utf8")).toContain("a\n"));
    expect(readFileSync(got, "utf8")).not.toContain("SECOND");
  });

  test("shows stderr at debug level without configured values", async () => {
    const log = createRecordingLog();
    await scripted("console.error('token is '+process.env.TOKEN)", { TOKEN: "s3cret-value" }, log).start();
    await vi.waitFor(() => expect(log.lines).toHaveLength(1));
    expect(log.lines[0]).toMatchObject({ level: "debug", fields: { stderr: "token is [redacted]" } });
  });

  test.each([
    ["process.exit()", "0"],
    ["SIGKILL", "SIGKILL"],
  ])("children do not outlive a gateway that ends by %s", async (_how, how) => {
    const module = join(import.meta.dirname, "stdio-transport.ts");
    const config = JSON.stringify(bench.stdio({}, how === "0" ? ["--ignore-end"] : []));
    const code = `import {StdioTransport} from ${JSON.stringify(module)};
      const log={debug(){},info(){},warn(){}};
      const transport=new StdioTransport({config:${config},log});
      await transport.start(); console.log(transport.pid);
      process.stdin.once("data",()=>process.exit(0));`;
    const gateway = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: gateway.stdout })[Symbol.asyncIterator]();
    const pid = Number((await lines.next()).value);
    expect(isAlive(pid)).toBe(true);
    if (how === "0") gateway.stdin.write("end\n");
    else gateway.kill("SIGKILL");
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });
  });
});

test("this suite leaves no child behind", () => {
  const children = execFileSync("ps", ["-o", "args=", "--ppid", String(process.pid)], { encoding: "utf8" });
  expect(children.split("\n").filter((line) => line.includes("counting-upstream"))).toEqual([]);
});
