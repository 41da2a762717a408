import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";

const ROOT = join(import.meta.dirname, "../..");
const MARKER = "MARKER-of-a-secret";
const isRoot = process.getuid?.() === 0;

interface Instruction {
  readonly name: string;
  readonly text: string;
}

const instructions: readonly Instruction[] = readFileSync(join(ROOT, "Dockerfile"), "utf8")
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line.trim() !== "" && !line.startsWith("#"))
  .map((line) => {
    const [, name = "", text = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    return { name, text };
  });
const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"));
const valueOf = (name: string) => lastStage.find((one) => one.name === name)?.text ?? "";

/** Stands for the machine's root: `/build`, `/app` and `/data` of the image are in it. */
let machine: string;
let context: string;
let gateway: ChildProcess | undefined;

/** What the file `.dockerignore` lets in: it names everything else out. */
function isInContext(file: string): boolean {
  const lines = readFileSync(join(ROOT, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines[0]).toBe("*");
  const named = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const hidden = lines
    .filter((line) => line.startsWith("**/"))
    .map((line) => new RegExp(`(^|/)${line.slice(3).replaceAll(".", "\\.").replaceAll("*", "[^/]*")}(/|$)`));
  return (
    named.some((name) => file === name || file.startsWith(`${name}/`)) &&
    !hidden.some((pattern) => pattern.test(file))
  );
}

const onMachine = (text: string) =>
  text.replaceAll(/(?<![\w.])\/(app|build|data|usr\/local\/bin)\b/g, `${machine}/$1`);

function copy(text: string): void {
  const words = text.split(" ").filter((word) => !word.startsWith("--"));
  const target = words.pop() ?? "";
  if (text.startsWith("--from=build")) {
    // Both stages stand on the same folder here, so what is copied to its own place is there already.
    expect(words).toEqual([target]);
    return;
  }
  for (const source of words) {
    const from = join(context, source);
    const to = join(
      machine,
      "build",
      target === "./" || target === "." ? (source === "." ? "" : source) : target,
    );
    cpSync(from, to, {
      recursive: true,
      filter: (file) => {
        const name = relative(context, file).replaceAll("\\", "/");
        return name === "" || isInContext(name) || readdirMayHold(name);
      },
    });
  }
}

/** A folder on the way to something that is named. */
function readdirMayHold(name: string): boolean {
  return ["test", "test/servers"].includes(name);
}

function run(text: string): void {
  const command = text.replace(/^--mount=\S+\s+/, "");
  if (command.startsWith("npm ci ")) {
    // What it installs is here already, by the same lockfile.
    symlinkSync(join(ROOT, "node_modules"), join(machine, "build/node_modules"));
    return;
  }
  const local = isRoot ? command : command.replace(/chown \S+ \S+ && /, "");
  execFileSync("sh", ["-ec", onMachine(local)], { cwd: join(machine, "build"), stdio: "pipe" });
}

/** The steps of the build in order, as a builder takes them. */
beforeAll(() => {
  machine = mkdtempSync(join(tmpdir(), "atlas-image-"));
  chmodSync(machine, 0o755);
  context = join(machine, "context");
  for (const folder of ["build", "usr/local/bin"]) mkdirSync(join(machine, folder), { recursive: true });
  const skipped = new Set(["node_modules", ".git", "dist", ".atlas"]);
  cpSync(ROOT, context, {
    recursive: true,
    filter: (file) => !skipped.has(relative(ROOT, file).split("/").at(-1) ?? ""),
  });
  for (const place of [".env", ".npmrc", "src/.env.local", "examples/old.db", "ledger-key.pem"]) {
    writeFileSync(join(context, place), MARKER);
  }
  for (const { name, text } of instructions) {
    if (name === "COPY") copy(text);
    if (name === "RUN") run(text);
  }
}, 600_000);
afterAll(async () => {
  if (gateway !== undefined && gateway.exitCode === null) {
    gateway.kill("SIGTERM");
    await once(gateway, "exit");
  }
  rmSync(machine, { recursive: true, force: true });
});

function filesWithMarker(folder: string): readonly string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return all
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file, "latin1").includes(MARKER));
}

test("holds what runs, and neither secrets, parts of tests nor another Node", () => {
  const app = join(machine, "app");
  for (const name of ["bin", "dist", "examples", "package.json"])
    expect(existsSync(join(app, name))).toBe(true);
  const modules = readdirSync(join(app, "node_modules"));
  expect(modules).toEqual(expect.arrayContaining(["hono", "pg", "inngest"]));
  expect(
    modules.filter((name) => /^(?:node-(?:linux|win)|vitest|vite|typescript|playwright)/.test(name)),
  ).toEqual([]);
  expect(filesWithMarker(join(machine, "build/src"))).toEqual([]);
  expect(filesWithMarker(join(machine, "build/examples"))).toEqual([]);
  expect(
    [".env", ".npmrc", "ledger-key.pem"].filter((name) => existsSync(join(machine, "build", name))),
  ).toEqual([]);
});

test("says nothing secret in a layer or an argument, and runs as nobody's own user", () => {
  expect(valueOf("USER")).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  expect(valueOf("VOLUME")).toBe("/data");
  expect(instructions.filter(({ name }) => name === "ARG").map(({ text }) => text)).toEqual([
    "BASE=node:24-bookworm-slim",
  ]);
  for (const { name, text } of instructions.filter((one) => ["ENV", "ARG"].includes(one.name))) {
    expect(`${name} ${text}`).not.toMatch(/key|token|secret|passw/i);
  }
});

test("starts as that user with only the data folder to write to, and its health check passes", async () => {
  const [uid = 0, gid = 0] = valueOf("USER").split(":").map(Number);
  const user = isRoot ? { uid, gid } : {};
  const env = { PATH: process.env["PATH"], HOME: join(machine, "data"), ATLAS_DATA: join(machine, "data") };
  const [entry = "", ...first] = JSON.parse(valueOf("ENTRYPOINT")) as string[];
  expect(entry).toBe("node");
  const args = [...first, ...(JSON.parse(valueOf("CMD")) as string[])].map(onMachine);
  expect(args.slice(-2)).toEqual(["--port", "8000"]);
  const cwd = join(machine, "app");
  execFileSync("chmod", ["-R", "a-w", cwd]);
  gateway = spawn(process.execPath, [...args.slice(0, -1), "0"], {
    cwd,
    env,
    ...user,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await readyUrl(gateway);
  expect(url).toMatch(/^http:/);
  const check = /^.*CMD (\[.*\])$/.exec(valueOf("HEALTHCHECK"))?.[1] ?? "[]";
  const [, ...checkArgs] = (JSON.parse(check) as string[]).map((word) =>
    word.replace("http://127.0.0.1:8000", url),
  );
  execFileSync(process.execPath, checkArgs, { env: { PATH: process.env["PATH"] }, ...user });
  expect(() =>
    execFileSync(
      process.execPath,
      checkArgs.map((word) => word.replace("/readyz", "/nothing")),
      { stdio: "ignore" },
    ),
  ).toThrow(/Command failed/);
  expect(readdirSync(join(machine, "data"))).toEqual(expect.arrayContaining(["atlas.db", "ledger-key.pem"]));
});

async function readyUrl(child: ChildProcess): Promise<string> {
  let said = "";
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    const port = /is ready on http:\S+:(\d+)/.exec(said)?.[1];
    if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
  });
  child.once("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
  return promise;
}

test("compose.one.yaml gives the container no more than it needs", () => {
  const { services } = parse(readFileSync(join(ROOT, "compose.one.yaml"), "utf8"));
  expect(services.gateway).toMatchObject({
    image: "atlas-gateway",
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    ports: ["127.0.0.1:8000:8000"],
    env_file: [{ path: ".env", required: false }],
  });
  expect(services.gateway.volumes).toEqual(["data:/data"]);
  expect(services.gateway.environment).toBeUndefined();
});
