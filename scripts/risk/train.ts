/**
 * Trains the model that ships with the embedded assessor.
 *
 *   node scripts/risk/train.ts calls.jsonl
 *
 * Writes src/risk/learned/weights.ts. The same file gives the same bytes. The sources named in HELD_OUT_SOURCES are
 * dropped before anything else happens.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { HELD_OUT_SOURCES, leaveOneSourceOut, plattOf, prepare } from "../../src/risk/bench/leave-one-out.ts";
import { parseRows } from "../../src/risk/bench/rows.ts";
import { packModel } from "../../src/risk/learned/model.ts";
import { train } from "../../src/risk/learned/train.ts";

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("Usage: node scripts/risk/train.ts calls.jsonl");
  process.exit(2);
}
const bytes = readFileSync(file);
const sha256 = createHash("sha256").update(bytes).digest("hex");
const rows = parseRows(bytes.toString("utf8")).filter((row) => !HELD_OUT_SOURCES.includes(row.source));
const prepared = prepare(rows);
const platt = plattOf(leaveOneSourceOut(prepared));
const packed = packModel(train(prepared.map(({ example }) => example)), platt);
const sources = [...new Set(rows.map((row) => row.source))].toSorted();
const out = path.resolve(import.meta.dirname, "../../src/risk/learned/weights.ts");
writeFileSync(
  out,
  `import type { PackedModel } from "./model.ts";

/**
 * Made by scripts/risk/train.ts; do not edit. Trained on ${rows.length} labelled calls of public sets
 * (${sources.join(", ")}; MIT and Apache-2.0) in a file with SHA-256
 * ${sha256}.
 */
export const WEIGHTS: PackedModel = {
  bias: ${packed.bias},
  scale: ${packed.scale},
  slope: ${packed.slope},
  shift: ${packed.shift},
  bytes:
    "${packed.bytes}",
};
`,
);
console.log(`${out}: ${rows.length} calls, slope ${platt.slope.toFixed(3)}, shift ${platt.shift.toFixed(3)}`);
