import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type LabelledCall, parseRows } from "../../src/risk/bench/rows.ts";

const FOLDER = path.join(import.meta.dirname, "calls");

/** The calls of `scripts/risk/calls`, the name of the writer as their source. */
export function handWritten(): readonly LabelledCall[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".jsonl"));
  return files.toSorted().flatMap((file) =>
    parseRows(readFileSync(path.join(FOLDER, file), "utf8")).map((row) => ({
      ...row,
      source: path.basename(file, ".jsonl"),
    })),
  );
}

/** What a call counts in training in which the arguments decide, and one of the public sets, where they hardly do. Proposed. */
export const HAND_WEIGHT = 3;
export const PUBLIC_WEIGHT = 0.3;
