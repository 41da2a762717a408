import { readFileSync, statSync } from "node:fs";
import { resolve as resolvePath } from "node:path";
import type { ResolveString } from "./config-file.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$?\$\{([^}]*)\}/gu;

/**
 * Resolves `${NAME}` from the environment and `${file:/path}` from a file (64 KiB of UTF-8 at most; one trailing newline is dropped);
 * `$${…}` stands for `${…}` itself. What is put in is not looked at again.
 */
export function referenceResolver(params: {
  readonly env: Environment;
  readonly folder: string;
}): ResolveString {
  return (text) => {
    let problem: string | undefined;
    const resolved = text.replace(REFERENCE, (whole: string, name: string) => {
      if (whole.startsWith("$$")) return whole.slice(1);
      const found = name.startsWith("file:")
        ? readReference(name.slice(5), params.folder)
        : variable(name, params.env);
      if ("problem" in found) problem ??= found.problem;
      return "text" in found ? found.text : "";
    });
    return problem === undefined ? { text: resolved } : { problem };
  };
}

function variable(name: string, env: Environment): ReturnType<ResolveString> {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/u.test(name)) {
    return { problem: "a reference is malformed; write ${NAME} or ${file:/path}, and $${ for a literal ${" };
  }
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  return value === undefined
    ? { problem: `the environment variable ${name} is not set; set it before the start` }
    : { text: value };
}

/** Secrets are short; what is larger is a mistaken path, such as a database. */
const MAX_FILE_BYTES = 64 * 1024;

function readReference(path: string, folder: string): ReturnType<ResolveString> {
  try {
    const file = resolvePath(folder, path);
    if (statSync(file).size > MAX_FILE_BYTES) {
      return { problem: `the file ${path} is larger than 64 KiB, too large for a value; check its path` };
    }
    const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
    return { text: text.replace(/\r?\n$/u, "") };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") {
      return { problem: `the file ${path} is not text in UTF-8; check its path` };
    }
    return { problem: `the file ${path} cannot be read (${code}); check its path and permissions` };
  }
}
