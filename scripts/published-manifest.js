// The manifest that is published leaves out what only a clone needs: the pinned Node binaries, the tests' parts and their
// scripts. `write` puts it in place for `npm pack`, `restore` brings the clone's own back.
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

const manifest = new URL("../package.json", import.meta.url);
const kept = new URL("../dist/package.json.kept", import.meta.url);

const [, , action] = process.argv;
if (action === "write") {
  copyFileSync(manifest, kept);
  const published = JSON.parse(readFileSync(manifest, "utf8"));
  for (const member of ["devDependencies", "overrides", "allowScripts", "scripts"]) delete published[member];
  for (const name of Object.keys(published.optionalDependencies)) {
    if (name.startsWith("node-")) delete published.optionalDependencies[name];
  }
  writeFileSync(manifest, `${JSON.stringify(published, null, 2)}\n`);
} else if (action === "restore" && existsSync(kept)) {
  renameSync(kept, manifest);
} else {
  console.error("Say write or restore.");
  process.exitCode = 2;
}
