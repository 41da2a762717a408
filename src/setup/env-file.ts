import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { AtlasError } from "../domain/errors.ts";
import { replaceFile } from "./replace-file.ts";

type Variables = Readonly<Record<string, string>>;

/** What an environment file says; nothing when there is none. */
export function readEnvFile(file: string): Variables {
  if (!existsSync(file)) return {};
  return Object.fromEntries(
    Object.entries(parseEnv(readFileSync(file, "utf8"))).map(([k, v]) => [k, v ?? ""]),
  );
}

/**
 * Sets variables in an environment file that only its owner may read. Every other line stays as it is, comments too;
 * a variable that is set already is changed where it stands.
 *
 * @returns names whose value was added or changed
 * @throws AtlasError `config.invalid` when a value cannot be written so that every reader reads the same
 */
export function setInEnvFile(file: string, values: Variables): readonly string[] {
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  const known = readEnvFile(file);
  const changed = Object.entries(values).filter(([name, value]) => known[name] !== value);
  const lines = before === "" ? [] : before.replace(/\n$/u, "").split("\n");
  for (const [name, value] of changed) {
    const line = `${name}=${quoted(name, value)}`;
    // Whoever reads the file takes the last one.
    const at = lines.findLastIndex((text) => nameOf(text) === name);
    if (at === -1) lines.push(line);
    else lines[at] = line;
  }
  const after = lines.length === 0 ? "" : `${lines.join("\n")}\n`;
  if (after !== "") replaceFile(file, after, { mode: 0o600 });
  const written = readEnvFile(file);
  const lost = changed.find(([name, value]) => written[name] !== value);
  if (lost !== undefined) throw unwritable(lost[0]);
  return changed.map(([name]) => name);
}

function nameOf(line: string): string | undefined {
  return /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/u.exec(line)?.[1];
}

/** Written so that Node, a shell's `.` and Compose read the same value. */
function quoted(name: string, value: string): string {
  if (/^[\w./:@%+,=-]*$/u.test(value)) return value;
  if (/['\r\n]/u.test(value) || value.includes("\0")) throw unwritable(name);
  return `'${value}'`;
}

function unwritable(name: string): AtlasError {
  return new AtlasError(
    "config.invalid",
    `The value of ${name} cannot be kept in .env: it holds an apostrophe or a line break, or an earlier line there is broken. Put it into a file of its own and name that as \${file:/path}.`,
  );
}
