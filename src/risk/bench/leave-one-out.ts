import { viewCall } from "../call-view.ts";
import { featuresOf } from "../learned/features.ts";
import { fitPlatt } from "../learned/platt.ts";
import { type Example, type LinearModel, logOdds, train } from "../learned/train.ts";
import type { LabelledCall } from "./rows.ts";

/** Sources that no rule, word list or weight was made on; chosen before any of them was seen. */
export const HELD_OUT_SOURCES: readonly string[] = ["tau", "injecagent"];

/** Borderline labels count less, and rows of one tool together as much as the root of their number. Proposed. */
const BORDERLINE_WEIGHT = 0.4;
/** Sources whose labels follow from how they were made rather than from what a call says count less. Proposed. */
const SOURCE_WEIGHT: Readonly<Record<string, number>> = { asb: 0.1 };

export interface Prepared {
  readonly row: LabelledCall;
  readonly example: Example;
}

export function prepare(rows: readonly LabelledCall[]): readonly Prepared[] {
  const toolOf = (row: LabelledCall) => `${row.source}\n${row.call.definition.name}`;
  const repeats = new Map<string, number>();
  for (const row of rows) repeats.set(toolOf(row), (repeats.get(toolOf(row)) ?? 0) + 1);
  return rows.map((row) => ({
    row,
    example: {
      features: featuresOf(viewCall(row.call)),
      harmful: row.harmful,
      weight:
        ((row.borderline ? BORDERLINE_WEIGHT : 1) * (SOURCE_WEIGHT[row.source] ?? 1)) /
        Math.sqrt(repeats.get(toolOf(row)) ?? 1),
    },
  }));
}

export interface LeftOut {
  readonly row: LabelledCall;
  /** Log-odds by a model that never saw the row's source. */
  readonly odds: number;
}

/** Scores every row by a model trained on the other sources. */
export function leaveOneSourceOut(prepared: readonly Prepared[]): readonly LeftOut[] {
  const sources = [...new Set(prepared.map(({ row }) => row.source))];
  return sources.flatMap((source) => {
    const model = train(prepared.filter(({ row }) => row.source !== source).map(({ example }) => example));
    return oddsOf(
      model,
      prepared.filter(({ row }) => row.source === source),
    );
  });
}

export function oddsOf(model: LinearModel, prepared: readonly Prepared[]): readonly LeftOut[] {
  return prepared.map(({ row, example }) => ({ row, odds: logOdds(model, example.features) }));
}

export const plattOf = (left: readonly LeftOut[]) =>
  fitPlatt(left.map(({ row, odds }) => ({ odds, harmful: row.harmful })));
