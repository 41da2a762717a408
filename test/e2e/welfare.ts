import { readFileSync } from "node:fs";
import { join } from "node:path";

const EXAMPLE = join(import.meta.dirname, "../../examples/welfare");

/** The example's own configuration, at home in another folder. */
export function welfareYaml(): string {
  const text = readFileSync(join(EXAMPLE, "atlas.yaml"), "utf8");
  return text.replace("command: node", `command: ${process.execPath}\n    cwd: ${EXAMPLE}`);
}
