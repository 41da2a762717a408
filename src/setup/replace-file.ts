import {
  chmodSync,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";

/**
 * Replaces a file in one step, so that no reader ever sees half of it and a crash leaves the old one. A link stays a
 * link; rights stay as they are unless a mode is given.
 */
export function replaceFile(file: string, text: string, { mode }: { readonly mode?: number } = {}): void {
  const target = existsSync(file) ? realpathSync(file) : file;
  const rights = mode ?? (existsSync(target) ? statSync(target).mode & 0o777 : 0o644);
  if (existsSync(target) && readFileSync(target, "utf8") === text) {
    chmodSync(target, rights);
    return;
  }
  const temporary = `${target}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  chmodSync(temporary, rights);
  renameSync(temporary, target);
}

/** Keeps a name out of version control. */
export function addToGitignore(file: string, name: string): void {
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (before.split(/\r?\n/u).some((line) => line.trim() === name || line.trim() === `/${name}`)) return;
  replaceFile(file, `${before}${before === "" || before.endsWith("\n") ? "" : "\n"}${name}\n`);
}
