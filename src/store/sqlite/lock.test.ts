import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { acquireDataLock, readHolder } from "./lock.ts";

const startedAt = "2026-11-21T12:00:00.000Z";

describe("the data lock", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "atlas-lock-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test("is held by one, who can be named, until it is released", () => {
    const lock = acquireDataLock(folder, { pid: 4711, startedAt, version: "0.1.0" });
    lock.update({ url: "http://127.0.0.1:8000" });
    expect(readHolder(folder)).toEqual({
      pid: 4711,
      url: "http://127.0.0.1:8000",
      startedAt,
      version: "0.1.0",
    });
    expect(() => acquireDataLock(folder, { pid: 4712, startedAt })).toThrow(
      expect.objectContaining({
        code: "data.locked",
        message: expect.stringMatching(
          /process id 4711 at http:\/\/127\.0\.0\.1:8000, started 2026-11-21T12:00:00\.000Z\. Stop/,
        ),
      }),
    );
    // Neither the refused taker nor the question has loosened it.
    expect(readHolder(folder)?.pid).toBe(4711);
    lock.release();
    lock.release();
    expect(readHolder(folder)).toBeNull();
    acquireDataLock(folder, { pid: 4712, startedAt }).release();
  });

  test.skipIf(process.platform === "win32")("keeps its files to their owner", () => {
    const lock = acquireDataLock(join(folder, "data"), { pid: 1, startedAt });
    for (const [name, mode] of [
      ["data", 0o700],
      ["data/gateway.json", 0o600],
      ["data/gateway.lock", 0o600],
    ] as const) {
      expect(statSync(join(folder, name)).mode & 0o777, name).toBe(mode);
    }
    lock.release();
    expect(existsSync(join(folder, "data/gateway.json"))).toBe(false);
  });

  test("a folder that was never used, and a file that was left behind, hold nothing", () => {
    expect(readHolder(folder)).toBeNull();
    acquireDataLock(folder, { pid: 1, startedAt }).release();
    writeFileSync(
      join(folder, "gateway.json"),
      JSON.stringify({ pid: 1, url: null, startedAt, version: null }),
    );
    expect(readHolder(folder)).toBeNull();
  });

  test("vanishes with a process that is killed", async () => {
    const program = `
      import { acquireDataLock } from ${JSON.stringify(new URL("lock.ts", import.meta.url).href)};
      acquireDataLock(${JSON.stringify(folder)}, { pid: process.pid, startedAt: ${JSON.stringify(startedAt)} });
      console.log("held");
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    expect(readHolder(folder)?.pid).toBe(child.pid);
    expect(() => acquireDataLock(folder, { pid: 2, startedAt })).toThrow(
      expect.objectContaining({ code: "data.locked" }),
    );
    child.kill("SIGKILL");
    await exited;
    expect(readFileSync(join(folder, "gateway.json"), "utf8")).toContain(String(child.pid));
    expect(readHolder(folder)).toBeNull();
    acquireDataLock(folder, { pid: 2, startedAt }).release();
  });
});
