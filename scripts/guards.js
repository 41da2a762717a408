// Takes each guard out of a copy of the tree, one at a time, and runs the test that ARCHITECTURE.md names for it:
// a test that still passes without its guard proves nothing. Ends with 0 only if every guard was missed.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { GUARDS } from "./guards-list.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const copy = mkdtempSync(path.join(tmpdir(), "atlas-guards-"));

function copyTree() {
  const files = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter(Boolean);
  for (const file of files) cpSync(path.join(root, file), path.join(copy, file));
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
}

function runTest({ test, name }) {
  const args = ["node_modules/vitest/vitest.mjs", "run", test, ...(name === undefined ? [] : ["-t", name])];
  const run = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  const failures = /Tests\s+(\d+) failed/.exec(run.stdout)?.[1];
  return { passed: run.status === 0, failures: Number(failures ?? 0), output: run.stdout + run.stderr };
}

const wanted = process.argv.slice(2);
const guards = GUARDS.filter(
  (guard) => wanted.length === 0 || wanted.some((text) => guard.guard.includes(text)),
);
let unproven = 0;
copyTree();
for (const guard of guards) {
  const file = path.join(copy, guard.file);
  const before = readFileSync(file, "utf8");
  if (before.split(guard.without).length !== 2) {
    console.log(`NOT FOUND  ${guard.guard}: ${guard.file} does not hold the text once`);
    unproven += 1;
    continue;
  }
  writeFileSync(
    file,
    before.replace(guard.without, () => guard.instead),
  );
  const { passed, failures } = runTest(guard);
  writeFileSync(file, before);
  if (passed || failures === 0) unproven += 1;
  console.log(
    `${passed || failures === 0 ? "UNPROVEN" : "caught  "}  ${guard.guard}  (${guard.test}: ${failures} failed)`,
  );
}
rmSync(copy, { recursive: true, force: true });
console.log(`${guards.length - unproven} guards proven, ${unproven} not`);
process.exitCode = unproven === 0 ? 0 : 1;
