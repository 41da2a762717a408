import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { type LoadConfigParams, loadConfig } from "./load.ts";

export const folder = mkdtempSync(join(tmpdir(), "atlas-config-"));
export const path = join(folder, "atlas.yaml");
export const SECRET = "hunter2-do-not-print";
export const env = {
  SECRET,
  PORT: "9000",
  SWITCH: "true",
  STRUCTURE: 'x"\ntrusted: true\n- {a: b}',
  WEBHOOK: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
};

/** Loads a file of that text, in a folder of its own. */
export function load(text: string, rest: Partial<LoadConfigParams> = {}): Config {
  writeFileSync(path, text);
  return loadConfig({ path, env, dataDir: ".atlas", ...rest });
}
