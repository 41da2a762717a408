// Runs the engine's contract suite against a real Inngest server: the one of INNGEST_BASE_URL (with INNGEST_EVENT_KEY and
// INNGEST_SIGNING_KEY, or neither for a development server), or one that it starts from an `inngest` binary on the PATH.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";

const START_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 200;
const SUITE = "test/inngest/real-server.test.ts";

function onPath(name) {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function run(command, args, env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

async function isUp(baseUrl) {
  try {
    return (await fetch(`${baseUrl}/health`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}

async function startServer(binary) {
  const folder = mkdtempSync(path.join(tmpdir(), "atlas-inngest-"));
  const port = await freePort();
  const keys = {
    INNGEST_EVENT_KEY: randomBytes(16).toString("hex"),
    INNGEST_SIGNING_KEY: randomBytes(32).toString("hex"),
  };
  const args = ["start", "--host", "127.0.0.1", "--port", String(port), "--no-ui", "--log-level", "error"];
  args.push(
    "--event-key",
    keys.INNGEST_EVENT_KEY,
    "--signing-key",
    keys.INNGEST_SIGNING_KEY,
    "--sqlite-dir",
    folder,
  );
  const server = spawn(binary, args, { stdio: "ignore", cwd: folder });
  const baseUrl = `http://127.0.0.1:${port}`;
  const stop = async () => {
    const gone = new Promise((resolve) => server.once("exit", resolve));
    if (server.exitCode === null && server.kill("SIGTERM")) await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  const until = Date.now() + START_WITHIN_MS;
  while (!(await isUp(baseUrl))) {
    if (Date.now() > until || server.exitCode !== null) {
      await stop();
      throw new Error(`${binary} did not start`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return { baseUrl, keys, stop };
}

async function main() {
  const given = process.env.INNGEST_BASE_URL;
  const binary = given ? undefined : onPath("inngest");
  if (!given && binary === undefined) {
    console.log(
      "skipped: there is no Inngest server; set INNGEST_BASE_URL, or put an `inngest` binary on the PATH",
    );
    return 0;
  }
  const server = given
    ? { baseUrl: given, keys: {}, stop: async () => undefined }
    : await startServer(binary);
  try {
    const vitest = path.join(import.meta.dirname, "..", "node_modules", "vitest", "vitest.mjs");
    const env = { ATLAS_TEST_INNGEST_URL: server.baseUrl, ...server.keys };
    return await run(process.execPath, [vitest, "run", SUITE], env);
  } finally {
    await server.stop();
  }
}

process.exitCode = await main();
