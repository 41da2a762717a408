import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const BUILT = fileURLToPath(new URL("./console", import.meta.url));
const BUILD_SCRIPT = fileURLToPath(new URL("../scripts/build-console.js", import.meta.url));

/**
 * Folder with the console's built files. The package brings them; a clone builds them from its sources when they are first
 * asked for, in a process of its own that sees nothing of this one's environment, and keeps them until the sources change.
 *
 * @throws Error when a clone cannot build them: its development dependencies are not installed
 */
export async function consoleFolder(): Promise<string> {
  if (existsSync(BUILT)) return BUILT;
  const { PATH = "", SystemRoot = "" } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [BUILD_SCRIPT, "--cached"], {
    env: { PATH, SystemRoot, NODE_ENV: "production" },
  });
  return stdout.trim();
}
