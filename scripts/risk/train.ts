/**
 * Trains the model that ships with the embedded assessor.
 *
 *   node scripts/risk/train.ts calls.jsonl
 *
 * `calls.jsonl` holds the calls of the public sets; those of `scripts/risk/calls` are added. Writes src/risk/learned/weights.ts.
 * The same files give the same bytes. The sources named in HELD_OUT_SOURCES are dropped before anything else happens.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  HELD_OUT_SOURCES,
  leaveOneSourceOut,
  plattOf,
  prepare,
  trainRisk,
} from "../../src/risk/bench/leave-one-out.ts";
import { parseRows } from "../../src/risk/bench/rows.ts";
import { packModel } from "../../src/risk/learned/model.ts";
import { HAND_WEIGHT, handWritten, PUBLIC_WEIGHT } from "./hand-written.ts";

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("Usage: node scripts/risk/train.ts calls.jsonl");
  process.exit(2);
}
const bytes = readFileSync(file);
const sha256 = createHash("sha256").update(bytes).digest("hex");
const published = parseRows(bytes.toString("utf8")).filter((row) => !HELD_OUT_SOURCES.includes(row.source));
const others = prepare(published, PUBLIC_WEIGHT);
const own = prepare(handWritten(), HAND_WEIGHT);
const platt = plattOf(leaveOneSourceOut(own, others));
const packed = packModel({ ...trainRisk([...own, ...others]), ...platt });
const sources = [...new Set(published.map((row) => row.source))].toSorted();
const out = path.resolve(import.meta.dirname, "../../src/risk/learned/weights.ts");
const members = Object.entries(packed).map(([key, value]) => `  ${key}: ${JSON.stringify(value)},\n`);
writeFileSync(
  out,
  `import type { PackedModel } from "./model.ts";

/**
 * Made by scripts/risk/train.ts; do not edit. Trained on ${own.length} calls of scripts/risk/calls and ${others.length} labelled calls of
 * public sets (${sources.join(", ")}; MIT and Apache-2.0) in a file with SHA-256
 * ${sha256}.
 */
export const WEIGHTS: PackedModel = {
${members.join("")}};
`,
);
console.log(
  `${out}: ${own.length} + ${others.length} calls, slope ${platt.slope.toFixed(3)}, shift ${platt.shift.toFixed(3)}`,
);
