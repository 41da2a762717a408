import { accessSync, constants, existsSync, statSync } from "node:fs";
import path from "node:path";
import { AtlasError } from "../domain/errors.ts";

/** A tool server to put behind the gateway, as `upstreams` in `atlas.yaml` writes it. */
export interface UpstreamEntry {
  readonly name: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly prefix?: string;
  readonly transport?: "sse";
  readonly headers?: Readonly<Record<string, string>>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/u;

export function isUpstreamName(name: string): boolean {
  return NAME.test(name);
}

/**
 * Reads `name=command with arguments` or `name=https://host/mcp`.
 *
 * @throws AtlasError `config.invalid` that says how to write one
 */
export function readUpstreamEntry(text: string): UpstreamEntry {
  const [, name = "", what = ""] = /^([^=\s]+)\s*=\s*(.+)$/u.exec(text.trim()) ?? [];
  if (!isUpstreamName(name) || what === "") {
    throw new AtlasError(
      "config.invalid",
      "A tool server is written as name=command with its arguments, or name=https://host/mcp; the name holds letters, digits, `_` and `-`.",
    );
  }
  if (/^https?:\/\//u.test(what)) return { name, url: checkedUrl(name, what) };
  const [command, ...args] = splitCommand(name, what);
  if (command === undefined)
    throw new AtlasError("config.invalid", `The tool server ${name} has no command.`);
  return { name, command, ...(args.length > 0 && { args }) };
}

function checkedUrl(name: string, text: string): string {
  const url = URL.parse(text);
  if (url !== null && url.username === "" && url.password === "") return text;
  throw new AtlasError(
    "config.invalid",
    `The address of the tool server ${name} cannot be taken; write one such as https://host/mcp, without a password in it.`,
  );
}

/** Words as a shell would split them, with '…' and "…"; nothing is expanded. */
function splitCommand(name: string, text: string): readonly string[] {
  const word = /\s*((?:[^\s'"]|'[^']*'|"[^"]*")+)/uy;
  const words: string[] = [];
  let at = 0;
  for (let match = word.exec(text); match !== null; match = word.exec(text)) {
    words.push((match[1] ?? "").replaceAll(/'([^']*)'|"([^"]*)"/gu, (_, single, double) => single ?? double));
    at = word.lastIndex;
  }
  if (text.slice(at).trim() === "") return words;
  throw new AtlasError(
    "config.invalid",
    `The command of the tool server ${name} has a quotation mark without its other half.`,
  );
}

/**
 * What stands in the way of starting the server, with what to do; null when its command is there, or it has an address.
 *
 * @param folder where the command runs, for one that is written with a path
 */
export function commandProblem(
  { name, command, cwd }: UpstreamEntry,
  folder: string,
  searched = process.env["PATH"] ?? "",
): string | null {
  if (command === undefined) return null;
  const places = /[/\\]/u.test(command)
    ? [path.resolve(folder, cwd ?? ".", command)]
    : searched.split(path.delimiter).map((place) => path.join(place, command));
  const extensions = process.platform === "win32" ? ["", ".exe", ".cmd", ".bat"] : [""];
  const isThere = places.some((place) => extensions.some((extension) => isProgram(place + extension)));
  return isThere
    ? null
    : `The tool server ${name} starts with ${command}, which is not there or may not be run; install it, or write its full path.`;
}

function isProgram(file: string): boolean {
  if (!existsSync(file) || !statSync(file).isFile()) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // A file that this user may not run.
    return false;
  }
}
