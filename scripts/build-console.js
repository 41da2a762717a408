// Builds the console: `node scripts/build-console.js` into dist/console, for the package; with `--cached` into a folder
// of the cache that is named after the sources, unless it is there already. Prints the folder.
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const CACHE = join(ROOT, "node_modules/.cache/atlas-console");

/** Everything the built files depend on. */
function hashOfSources() {
  const hash = createHash("sha256");
  const files = readdirSync(join(ROOT, "console"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of [...files, join(ROOT, "package-lock.json")]) {
    hash.update(file.slice(ROOT.length)).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex").slice(0, 32);
}

async function build(outDir) {
  const { build: buildWithVite } = await import("vite");
  await buildWithVite({
    configFile: join(ROOT, "console/vite.config.ts"),
    logLevel: "warn",
    build: { outDir, emptyOutDir: true },
  });
}

async function buildCached() {
  const folder = join(CACHE, hashOfSources());
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = join(CACHE, `.${randomUUID()}`);
  await build(unfinished);
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    // Another process was faster, and built the same.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

if (process.argv.includes("--cached")) {
  console.log(await buildCached());
} else {
  const folder = join(ROOT, "dist/console");
  await build(folder);
  console.log(folder);
}
