import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startFakeChatCompletions } from "../servers/fake-chat-completions.ts";
import { BIN, freePort, type InitFolder, openInitFolder, ROOT, saidUntil } from "./init-folder.ts";

let place: InitFolder;
let folder: string;
const init: InitFolder["init"] = (args, how) => place.init(args, how);
const start: InitFolder["start"] = (args, how) => place.start(args, how);
const read: InitFolder["read"] = (name) => place.read(name);

beforeEach(() => {
  place = openInitFolder();
  ({ folder } = place);
});
afterEach(() => place.close());

describe("atlas init, and a start", () => {
  test("runs the gateway on its port; a second time finds it running; the key of .env opens it", async () => {
    const port = await freePort();
    writeFileSync(join(folder, ".env"), "ATLAS_API_KEY=key-from-the-env-file-000000\n");
    const served = start(["--yes", "--port", String(port), "--run", "direct"]);
    expect(await saidUntil(served, /Make the first case/)).toContain(`http://127.0.0.1:${port}`);
    expect(read(".atlas/first-credentials.json")).toContain("key-from-the-env-file-000000");
    const again = await init(["--yes", "--port", String(port), "--run", "direct"]);
    expect(again).toMatchObject({ code: 0, err: "" });
    expect(again.out).toContain(
      `A gateway runs on ${join(folder, ".atlas")} already, at http://127.0.0.1:${port}`,
    );
  });

  test("says what to do about a taken port", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const done = await init(["--yes", "--run", "direct", "--port", String(port)]);
    other.close();
    expect(done.code).toBe(1);
    expect(done.err).toContain(
      `Port ${port} is taken. Stop what listens there, or choose another one with --port ${port + 1}`,
    );
  });

  test("says that a key is refused, and starts: what needs the model waits for a human", async () => {
    const model = await startFakeChatCompletions({
      apiKey: "the right one",
      reply: () => ({ kind: "never" }),
    });
    const args = ["--yes", "--run", "direct", "--port", String(await freePort())];
    const served = start([
      ...args,
      "--judge",
      "openai",
      "--model-url",
      model.baseUrl,
      "--openai-key",
      "WRONG-KEY",
    ]);
    await saidUntil(served, /Make the first case/);
    await model.close();
    expect(served.said.err).toMatch(
      /warning: The model openai:\S+ cannot be used: The model's server answered HTTP 401\. Check its key/,
    );
    expect(served.said.out + served.said.err).not.toContain("WRONG-KEY");
  });
});

/** Stands for Docker: writes down what it is asked, and serves `/readyz` where it is told to publish. */
const FAKE_DOCKER = `#!/usr/bin/env node
const { appendFileSync } = require("node:fs");
const { spawn } = require("node:child_process");
const args = process.argv.slice(2);
const secrets = args[0] === "run" ? args.flatMap((arg, i) => (args[i - 1] === "--env" ? [arg + "=" + process.env[arg]] : [])) : [];
appendFileSync(process.env.HOME + "/docker.jsonl", JSON.stringify({ args, secrets }) + "\\n");
if (args[0] === "run") {
  const [host, port] = args[args.indexOf("--publish") + 1].split(":");
  const serve = "require('node:http').createServer((q, r) => r.end('ready')).listen(" + port + ", '" + host + "'); setTimeout(() => process.exit(), 20000)";
  const child = spawn(process.execPath, ["-e", serve], { detached: true, stdio: "ignore" });
  child.unref();
  appendFileSync(process.env.HOME + "/docker.pid", String(child.pid));
}
`;

test("with Docker it builds the image and runs it with nothing but a folder to write to, and no secret on a command line", async () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "docker"), FAKE_DOCKER, { mode: 0o755 });
  writeFileSync(join(folder, ".env"), "CRM_TOKEN='MARKER with spaces'\n");
  const port = await freePort();
  const env = { PATH: `${bin}:${process.env["PATH"]}` };
  const done = await init(
    ["--yes", "--port", String(port), "--upstream", "crm=https://crm.example.org/mcp"],
    { env },
  );
  process.kill(Number(read("home/docker.pid")));
  expect(done).toMatchObject({ code: 0 });
  expect(done.out).toContain(`is ready on http://127.0.0.1:${port}, in the container atlas-gateway`);
  const asked = read("home/docker.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { args: string[]; secrets: string[] });
  expect(asked.map(({ args }) => args[0])).toEqual(["info", "ps", "ps", "build", "run"]);
  const run = asked.at(-1);
  expect(run?.args).toEqual(
    expect.arrayContaining([
      "--read-only",
      "--cap-drop",
      `127.0.0.1:${port}:8000`,
      `${join(folder, "atlas.yaml")}:/app/atlas.yaml:ro`,
    ]),
  );
  expect(run?.args.join(" ")).not.toContain("MARKER");
  expect(run?.secrets).toEqual(["CRM_TOKEN=MARKER with spaces"]);
});

test("says why a container is not what it runs in", async () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "docker"), FAKE_DOCKER, { mode: 0o755 });
  const env = { PATH: `${bin}:${process.env["PATH"]}` };
  const port = String(await freePort());
  const served = start(["--yes", "--port", port, "--upstream", "mine=node mine.js"], { env });
  expect(await saidUntil(served, /Make the first case/)).toContain(
    "Runs without a container: a container has neither the program nor the files of mine.",
  );
});

test("setup.sh is the same, wherever it is called from, and installs nothing that is there", async () => {
  const clone = join(folder, "clone");
  mkdirSync(clone);
  for (const name of ["setup.sh", "bin", "src", "examples", "package.json", "package-lock.json"]) {
    cpSync(join(ROOT, name), join(clone, name), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"));
  // As a checkout leaves it: not newer than what npm ci made of it.
  utimesSync(join(clone, "package-lock.json"), 0, 0);
  const command = [join(clone, "setup.sh")] as const;
  const first = await init(["--yes", "--no-start"], { command });
  expect(first).toMatchObject({ code: 0, err: "" });
  const files = () => [".gitignore", "atlas.yaml"].map((name) => readFileSync(join(clone, name), "utf8"));
  const before = files();
  expect(before[1]).toContain("cwd: examples/welfare");
  expect((await init(["--yes", "--no-start"], { command })).code).toBe(0);
  expect(files()).toEqual(before);
});

test("every command takes .env beside its configuration, and the environment itself goes first", async () => {
  writeFileSync(join(folder, "atlas.yaml"), 'listen: { port: "${INIT_TEST_PORT}" }\n');
  const check = (env: Readonly<Record<string, string>>) =>
    init(["check"], { command: [process.execPath, BIN], env });
  expect((await check({})).code).toBe(1);
  writeFileSync(join(folder, ".env"), "INIT_TEST_PORT=8123\n");
  expect((await check({})).code).toBe(0);
  expect((await check({ INIT_TEST_PORT: "none" })).code).toBe(1);
});
