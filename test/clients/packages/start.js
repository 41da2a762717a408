// Installs the frameworks from their own lockfile and runs them. Not part of `npm test`: it needs the registry.
import { spawnSync } from "node:child_process";

const folder = import.meta.dirname;
const install = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, encoding: "utf8" });
if (install.status !== 0) {
  const lost = /E(?:NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH)|network/u;
  if (lost.test(install.stderr)) {
    console.log("skipped: the registry cannot be reached, so the frameworks cannot be installed");
    process.exit(0);
  }
  console.error(install.stderr);
  process.exit(1);
}
const { status } = spawnSync(process.execPath, ["run.ts"], { cwd: folder, stdio: "inherit" });
process.exit(status ?? 1);
