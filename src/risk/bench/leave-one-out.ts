import { type BoostExample, boost } from "../learned/boost.ts";
import { evidenceOf } from "../learned/evidence.ts";
import { oddsOf, type ReadCall, type RiskModel, readCall } from "../learned/model.ts";
import { fitPlatt } from "../learned/platt.ts";
import { trainWords, wordOdds } from "../learned/train.ts";
import { DEFAULT_PACKS } from "../packs.ts";
import type { LabelledCall } from "./rows.ts";

/** Sources that no rule, word list or weight was made on; chosen before any of them was seen. */
export const HELD_OUT_SOURCES: readonly string[] = ["tau", "injecagent"];

/** Borderline labels count less, and rows of one tool together as much as the root of their number. Proposed. */
const BORDERLINE_WEIGHT = 0.4;
/** Sources whose labels follow from how they were made rather than from what a call says count less. Proposed. */
const SOURCE_WEIGHT: Readonly<Record<string, number>> = { asb: 0.1 };

export interface Prepared {
  readonly row: LabelledCall;
  readonly read: ReadCall;
  readonly weight: number;
  /** Calls of one tool, which are never trained on and asked about at once. */
  readonly tool: string;
}

/** Reads the calls as the model does. @param weight of each row; calls in which the arguments decide are worth more */
export function prepare(rows: readonly LabelledCall[], weight = 1): readonly Prepared[] {
  const toolOf = (row: LabelledCall) => `${row.source}\n${row.call.definition.name}`;
  const repeats = new Map<string, number>();
  for (const row of rows) repeats.set(toolOf(row), (repeats.get(toolOf(row)) ?? 0) + 1);
  const rootOf = (row: LabelledCall) => (weight > 2 ? 1 : Math.sqrt(repeats.get(toolOf(row)) ?? 1));
  return rows.map((row) => ({
    row,
    tool: toolOf(row),
    read: readCall(row.call, { packs: DEFAULT_PACKS }),
    weight:
      (weight * (row.borderline ? BORDERLINE_WEIGHT : 1) * (SOURCE_WEIGHT[row.source] ?? 1)) / rootOf(row),
  }));
}

/** In how many parts the calls are cut, so that the trees see word odds as of calls that the words were not trained on. */
const FOLDS = 4;

function foldOf(tool: string): number {
  let hash = 7;
  for (const char of tool) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0;
  return (hash >>> 0) % FOLDS;
}

/** Trains words and trees. */
export function trainRisk(prepared: readonly Prepared[]): Pick<RiskModel, "words" | "trees"> {
  const wordsOf = (part: readonly Prepared[]) =>
    trainWords(
      part.map(({ read, row, weight }) => ({ buckets: read.buckets, harmful: row.harmful, weight })),
    );
  const examples = Array.from({ length: FOLDS }, (_, fold) => {
    const words = wordsOf(prepared.filter(({ tool }) => foldOf(tool) !== fold));
    return prepared
      .filter(({ tool }) => foldOf(tool) === fold)
      .map(
        ({ read, row, weight }): BoostExample => ({
          features: evidenceOf({ ...read, odds: wordOdds(words, read.buckets) }),
          harmful: row.harmful,
          weight,
        }),
      );
  }).flat();
  return { words: wordsOf(prepared), trees: boost(examples) };
}

export interface LeftOut {
  readonly row: LabelledCall;
  /** Log-odds by a model that never saw the row's source. */
  readonly odds: number;
}

/** Scores the rows of each source by a model trained on the other sources and on `always`. */
export function leaveOneSourceOut(
  prepared: readonly Prepared[],
  always: readonly Prepared[] = [],
): readonly LeftOut[] {
  const sources = [...new Set(prepared.map(({ row }) => row.source))];
  return sources.flatMap((source) => {
    const model = trainRisk([...prepared.filter(({ row }) => row.source !== source), ...always]);
    return prepared
      .filter(({ row }) => row.source === source)
      .map(({ row, read }) => ({ row, odds: oddsOf(model, read) }));
  });
}

export const plattOf = (left: readonly LeftOut[]) =>
  fitPlatt(left.map(({ row, odds }) => ({ odds, harmful: row.harmful })));
