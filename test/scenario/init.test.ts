import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readEnvFile } from "../../src/setup/env-file.ts";
import { startFakeChatCompletions } from "../servers/fake-chat-completions.ts";

const ROOT = join(import.meta.dirname, "../..");
const BIN = join(ROOT, "bin/atlas.js");

let folder: string;
let home: string;
const running: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atlas-init-"));
  home = join(folder, "home");
  mkdirSync(home);
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly [string, ...string[]];
}

/** In an environment of its own, so that nothing of whoever runs the tests answers a question. */
function start(
  args: readonly string[],
  { input = "", env = {}, command = [process.execPath, BIN, "init"] }: Run = {},
) {
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

async function init(args: readonly string[], how: Run = {}) {
  const { child, said } = start(args, how);
  const [code] = (await once(child, "close")) as [number];
  return { code, ...said };
}

async function saidUntil({ child, said }: ReturnType<typeof start>, wanted: RegExp): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const look = () => wanted.test(said.out) && resolve(said.out);
  child.stdout?.on("data", look);
  child.once("close", (code) => reject(new Error(`ended with ${code}: ${said.out}${said.err}`)));
  look();
  return promise;
}

const read = (name: string) => readFileSync(join(folder, name), "utf8");

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("atlas init --no-start", () => {
  test("asks nothing with --yes, and a second time writes the same bytes", async () => {
    const first = await init(["--yes", "--no-start"]);
    expect(first).toMatchObject({ code: 0, err: "" });
    const files = () =>
      readdirSync(folder)
        .filter((name) => name !== "home")
        .map((name) => [name, read(name)]);
    const before = files();
    expect(before.map(([name]) => name)).toEqual([".gitignore", "atlas.yaml"]);
    expect(read("atlas.yaml")).toContain("welfare:");
    expect((await init(["--yes", "--no-start"])).code).toBe(0);
    expect(files()).toEqual(before);
  });

  test("writes what was piped in, shows no secret, and proposes it the next time", async () => {
    const answers = [
      "modal",
      "",
      "ak-token-id",
      "as-token-secret",
      "",
      "",
      "crm=https://crm.example.org/mcp",
      "notes=node 'my notes.js' --all",
      "",
      "none",
      "8123",
    ];
    const done = await init(["--no-start"], { input: `${answers.join("\n")}\n` });
    expect(done).toMatchObject({ code: 0, err: "" });
    expect(done.out).not.toMatch(/ak-token-id|as-token-secret/);
    expect(statSync(join(folder, ".env")).mode & 0o777).toBe(0o600);
    expect(read(".gitignore")).toBe(".env\n");
    expect(readEnvFile(join(folder, ".env"))).toEqual({
      MODAL_FUNCTION_NAME: "nislam-mics/ATLAS-NIST-Measure",
      MODAL_TOKEN_ID: "ak-token-id",
      MODAL_TOKEN_SECRET: "as-token-secret",
    });
    const written = read("atlas.yaml");
    expect(written).toContain("kind: modal");
    expect(written).toContain("- my notes.js");
    expect(written).toContain("port: 8123");
    expect(written).not.toContain("token-secret");
    const env = read(".env");
    const again = await init(["--no-start"]);
    expect(again).toMatchObject({ code: 0, err: "" });
    expect(again.out).toContain("Modal token secret (as-…) [kept]:");
    expect([read("atlas.yaml"), read(".env")]).toEqual([written, env]);
  });

  test("keeps what is there, and says what to change where it is told otherwise", async () => {
    writeFileSync(
      join(folder, "atlas.yaml"),
      "# mine\nupstreams: {} # none yet\nrisk:\n  model: { kind: ollama, model: mine }\n",
    );
    writeFileSync(join(folder, ".env"), "# keep\nMODAL_TOKEN_ID=ak-old-one\nOTHER=1\n");
    const done = await init([
      "--yes",
      "--no-start",
      "--judge",
      "modal",
      "--modal-token-secret",
      "as-new-one",
    ]);
    expect(done.code).toBe(0);
    expect(done.err).toMatch(
      /^note: atlas.yaml says something else under `risk.model`.*write there: \{"kind":"modal"\}$/m,
    );
    expect(read("atlas.yaml")).toContain("# mine");
    expect(read("atlas.yaml")).toContain("{ kind: ollama, model: mine }");
    expect(read(".env")).toContain("# keep\nMODAL_TOKEN_ID=ak-old-one\nOTHER=1\n");
    expect(read(".env")).toContain("MODAL_TOKEN_SECRET=as-new-one");
  });

  test("keeps Inngest's keys and the database's address in .env, and says in atlas.yaml what drives the cases", async () => {
    const secrets = {
      INNGEST_EVENT_KEY: "event-MARKER",
      INNGEST_SIGNING_KEY: `signkey-test-${"ab".repeat(16)}`,
      ATLAS_DATABASE_URL: "postgres://u:MARKER@db.example.org/atlas",
    };
    const done = await init(["--yes", "--no-start"], { env: secrets });
    expect(done.code).toBe(0);
    expect(done.out + done.err + read("atlas.yaml")).not.toContain("MARKER");
    expect(read("atlas.yaml")).toContain("\nengine: inngest\n");
    expect(readEnvFile(join(folder, ".env"))).toEqual(secrets);
  });

  test("takes answers from flags before variables, and variables before questions", async () => {
    const env = {
      ATLAS_JUDGE: "ollama",
      ATLAS_MODEL: "from-variable",
      ATLAS_MODEL_URL: "http://127.0.0.1:9/v1",
      ATLAS_UPSTREAMS: "a=https://a.example.org/mcp; b=https://b.example.org/mcp",
    };
    const done = await init(["--yes", "--no-start", "--model", "from-flag"], { env });
    expect(done.code).toBe(0);
    expect(read("atlas.yaml")).toContain("model: from-flag");
    expect(read("atlas.yaml")).toMatch(/a:\n +url: https:\/\/a.example.org\/mcp\n +b:/);
  });

  test.each([
    [
      ["--judge", "openai", "--openai-key", "MARKER"],
      "--openai-key: This is no OpenAI key: one begins with sk-; make one at",
    ],
    [
      ["--judge", "modal"],
      "MODAL_TOKEN_ID (or --modal-token-id): This is no Modal token id: one begins with ak-;",
    ],
    [
      ["--upstream", "x=no-such-program --MARKER"],
      "The tool server x starts with no-such-program, which is not there or may not be run; install it",
    ],
    [
      ["--upstream", "MARKER"],
      "A tool server is written as name=command with its arguments, or name=https://host/mcp",
    ],
    [["--port", "99999"], "--port: A port is a number from 1 to 65535."],
    [
      ["--inngest-event-key", "evt", "--inngest-signing-key", "MARKER"],
      "--inngest-signing-key: This is no Inngest signing key",
    ],
    [["--database-url", "mysql://MARKER"], "--database-url: This is no Postgres URL"],
    [["--clients", "emacs"], "There is no client emacs; write all, none, or some of claude-desktop"],
  ])("refuses %j with a sentence, and changes nothing", async (args, sentence) => {
    const done = await init(["--yes", "--no-start", ...args]);
    expect(done.code).toBe(1);
    expect(done.err).toContain(sentence);
    expect(done.out + done.err).not.toContain("MARKER");
    expect(readdirSync(folder)).toEqual(["home"]);
  });
});

describe("clients", () => {
  const cursor = () => join(home, ".cursor/mcp.json");
  const JSONC = `{
  // by hand
  "mcpServers": {
    "crm": { "url": "https://crm.example.org/mcp", "headers": { "authorization": "Bearer MARKER" } }, // sales
    "lib": { "command": "node", "args": ["lib.js", "--token", "MARKER"], "env": { "KEY": "MARKER", "LEVEL": "\${env:LEVEL}" } },
    "gone": { "command": "no-such-program" }
  }
}
`;

  beforeEach(() => {
    mkdirSync(join(home, ".cursor"));
    writeFileSync(cursor(), JSONC);
    writeFileSync(
      join(home, ".claude.json"),
      JSON.stringify({ projects: { [folder]: { mcpServers: { lib2: { command: "node" } } } } }),
    );
  });

  test("are left alone unless they are chosen", async () => {
    const done = await init(["--no-start"]);
    expect(done.out).toContain("mcp.json: crm, lib, gone");
    expect(done.out).not.toContain("MARKER");
    expect(readFileSync(cursor(), "utf8")).toBe(JSONC);
  });

  test("get the gateway in the place of their servers, secrets go to .env, and one undo gives all back", async () => {
    const done = await init(["--yes", "--no-start", "--clients", "all"], { env: { LEVEL: "1" } });
    expect(done.code).toBe(0);
    expect(done.err).toMatch(/gone stays in .*mcp\.json: The tool server gone starts with no-such-program/);
    expect(done.out + done.err + read("atlas.yaml")).not.toContain("MARKER");
    expect(readEnvFile(join(folder, ".env"))).toEqual({
      MCP_CRM_AUTHORIZATION: "Bearer MARKER",
      MCP_LIB_ARG_3: "MARKER",
      MCP_LIB_KEY: "MARKER",
    });
    expect(read("atlas.yaml")).toContain("authorization: ${MCP_CRM_AUTHORIZATION}");
    expect(read("atlas.yaml")).toContain("LEVEL: ${LEVEL}");
    expect(read("atlas.yaml")).not.toContain("welfare");
    const { mcpServers } = JSON.parse(readFileSync(cursor(), "utf8").replace("// by hand", ""));
    expect(Object.keys(mcpServers)).toEqual(["gone", "atlas"]);
    expect(mcpServers.atlas.args).toEqual([
      BIN,
      "stdio",
      "--config",
      join(folder, "atlas.yaml"),
      "--data",
      join(folder, ".atlas"),
    ]);
    expect(readFileSync(join(home, ".claude.json"), "utf8")).toContain('"atlas"');

    const files = [read("atlas.yaml"), read(".env"), readFileSync(cursor(), "utf8")];
    expect((await init(["--yes", "--no-start", "--clients", "all"], { env: { LEVEL: "1" } })).code).toBe(0);
    expect([read("atlas.yaml"), read(".env"), readFileSync(cursor(), "utf8")]).toEqual(files);

    const undone = await init(["--undo"]);
    expect(undone).toMatchObject({ code: 0, err: "" });
    expect(readFileSync(cursor(), "utf8")).toBe(JSONC);
    expect(readFileSync(join(home, ".claude.json"), "utf8")).not.toContain('"atlas"');
    expect(readdirSync(join(home, ".cursor"))).toEqual(["mcp.json"]);
  });
});

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
