import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Reading, type ReceivedRead, receivedReads } from "../servers/reading-upstream.ts";

const SERVER = join(import.meta.dirname, "../servers/reading-upstream.ts");

/** One reading upstream and the files it is steered and watched by. */
export interface ReadingBench {
  readonly controlFile: string;
  readonly recordFile: string;
  /** What it offers from now on. */
  offer(reading: Reading): void;
  received(): readonly ReceivedRead[];
  /** Its entry of `upstreams:` as a stdio child; JSON is YAML, too. */
  entry(more?: object): string;
}

export function readingBench(folder: string, name: string, first: Reading): ReadingBench {
  const controlFile = join(folder, `${name}.json`);
  const recordFile = join(folder, `${name}.jsonl`);
  const offer = (reading: Reading): void => {
    // The server must never see half a file.
    writeFileSync(`${controlFile}.new`, JSON.stringify(reading));
    renameSync(`${controlFile}.new`, controlFile);
  };
  offer(first);
  const args = [SERVER, "--control", controlFile, "--record", recordFile];
  return {
    controlFile,
    recordFile,
    offer,
    received: () => receivedReads(recordFile),
    entry: (more = {}) => `${name}: ${JSON.stringify({ command: process.execPath, args, ...more })}`,
  };
}
