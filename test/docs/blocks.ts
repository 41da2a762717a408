import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** One fenced block of a page. */
export interface Block {
  /** Path from the root of the repository, and line of the opening fence. */
  readonly at: string;
  readonly language: string;
  readonly text: string;
  /** The last heading above it. */
  readonly heading: string;
  /** Why no test runs it: the words of a comment `<!-- not run: … -->` right above the fence. */
  readonly notRun: string | null;
}

/** Every fenced block of a page, in order; blocks in lists, too. */
export function readBlocks(file: string): readonly Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let notRun: string | null = null;
  let open: { readonly line: number; readonly language: string; readonly lines: string[] } | null = null;
  for (const [index, line] of readFileSync(join(ROOT, file), "utf8").split("\n").entries()) {
    const fence = /^\s*```(\w*)/u.exec(line);
    if (open !== null && fence === null) open.lines.push(line);
    else if (open !== null) {
      const { language, lines } = open;
      blocks.push({ at: `${file}:${open.line}`, language, text: lines.join("\n"), heading, notRun });
      open = null;
      notRun = null;
    } else if (fence !== null) open = { line: index + 1, language: fence[1] ?? "", lines: [] };
    else if (line.startsWith("#")) heading = line.replace(/^#+\s*/u, "");
    else if (line.trim() !== "") notRun = /^\s*<!-- not run: (.+) -->$/u.exec(line)?.[1] ?? null;
  }
  return blocks;
}
