// Measures what a stranger gets, and writes docs/package.md: from the end of `npm ci` in a fresh copy of the tree to a case that
// waits at the console, and the size and the parts of the packed package. Takes minutes and the registry; no test runs it.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { cpus, release, tmpdir, totalmem, type } from "node:os";
import { basename, join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "atlas-facts-"));
const tree = join(folder, "tree");
const empty = join(folder, "empty");

try {
  const skipped = new Set(["node_modules", ".git", "dist", ".atlas", "atlas-demo", ".env"]);
  cpSync(ROOT, tree, { recursive: true, filter: (path) => !skipped.has(basename(path)) });
  npm(tree, "ci", "--no-audit", "--no-fund");
  const firstCaseMs = await firstCase();
  const said = npm(tree, "pack", "--json", "--silent", "--pack-destination", folder);
  // The build's own words come before it.
  const [packed] = JSON.parse(said.slice(said.search(/^\[/mu)));
  mkdirSync(empty);
  writeFileSync(join(empty, "package.json"), "{}");
  npm(empty, "install", "--no-audit", "--no-fund", join(folder, packed.filename));
  writeFileSync(join(ROOT, "docs/package.md"), page({ firstCaseMs, packed, installed: installedParts() }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** By the README's words, but for the port, which another program may have. @returns milliseconds */
async function firstCase() {
  const startedMs = performance.now();
  const demo = spawn("npm", ["run", "demo", "--", "--port", "0"], { cwd: tree, detached: true });
  let said = "";
  demo.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const closed = once(demo, "close");
  try {
    for (;;) {
      const url = /open {3}(\S+)\/console/u.exec(said)?.[1];
      const token = /token {2}(\S+)/u.exec(said)?.[1];
      if (token !== undefined && (await isVisible(url, token))) return performance.now() - startedMs;
      if (demo.exitCode !== null) throw new Error(`the demo ended: ${said}`);
      await sleep(50);
    }
  } finally {
    if (demo.pid !== undefined) process.kill(-demo.pid, "SIGINT");
    await closed;
  }
}

/** Whether the console is served, and shows the case to who signs in. */
async function isVisible(url, token) {
  const page = await fetch(`${url}/console`);
  const cases = await fetch(`${url}/api/v1/cases`, { headers: { authorization: `Bearer ${token}` } });
  return page.ok && (await cases.text()).includes("AWAITING_REVIEW");
}

function installedParts() {
  const all = npm(empty, "ls", "--all", "--parseable").trim().split("\n").slice(1);
  const { dependencies } = JSON.parse(
    readFileSync(join(empty, "node_modules/atlas-gateway/package.json"), "utf8"),
  );
  return {
    packages: new Set(all).size - 1,
    direct: Object.keys(dependencies).length,
    bytes: sizeOf(join(empty, "node_modules")),
  };
}

function sizeOf(path) {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

function npm(cwd, ...args) {
  return execFileSync("npm", args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function page({ firstCaseMs, packed, installed }) {
  const mega = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release().split(".").slice(0, 2).join(".")}, Node ${process.version}`;
  return `# The package

Written by \`scripts/package-facts.js\` on ${new Date().toISOString().slice(0, 10)} (${machine}, with other work going on).

| | |
| --- | --- |
| from the end of \`npm ci\` in a clone to a case that waits at the console (\`npm run demo\`) | ${(firstCaseMs / 1000).toFixed(1)} s |
| tarball | ${mega(packed.size)}, ${packed.entryCount} files, ${mega(packed.unpackedSize)} unpacked |
| its direct dependencies | ${installed.direct} |
| packages in an empty project after \`npm install\`, optional ones too | ${installed.packages} beside it |
| size of its \`node_modules\` | ${mega(installed.bytes)} |

\`test/package\` packs it, installs it into an empty project, and lets publint and attw (are the types wrong?) look at it: they find nothing.
It is for \`import\` only.
`;
}
