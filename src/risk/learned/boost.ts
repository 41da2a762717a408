import { generator } from "./train.ts";

/** Splits from the root to a leaf. */
const DEPTH = 3;
/** Nodes of a full tree: those of depth below three and the eight leaves. */
export const NODES = 2 ** (DEPTH + 1) - 1;

/** A full tree; the children of node `i` are `2i + 1` and `2i + 2`. */
export interface Tree {
  /** Number of the feature a node asks for; -1 where the tree ends. */
  readonly feature: readonly number[];
  /** Of a node: goes left below it. Where the tree ends: log-odds that it adds. */
  readonly value: readonly number[];
}

export interface BoostedTrees {
  readonly bias: number;
  readonly trees: readonly Tree[];
}

export interface BoostExample {
  readonly features: Float64Array;
  readonly harmful: boolean;
  readonly weight: number;
}

/** Log-odds of harm. */
export function boostedOdds({ bias, trees }: BoostedTrees, features: Float64Array): number {
  return trees.reduce((odds, tree) => odds + treeOdds(tree, features), bias);
}

function treeOdds({ feature, value }: Tree, features: Float64Array): number {
  let at = 0;
  for (let asked = feature[0] ?? -1; asked >= 0; asked = feature[at] ?? -1)
    at = 2 * at + ((features[asked] ?? 0) < (value[at] ?? 0) ? 1 : 2);
  return value[at] ?? 0;
}

/**
 * Chosen on calls of writers left out. `columns` and `rows` are the shares that a tree sees, `penalty` is that of L2 on
 * its leaves, `least` the least sum of second derivatives in a leaf.
 */
const BOOSTING = { rounds: 500, rate: 0.05, columns: 0.35, rows: 0.7, penalty: 5, least: 1.5, seed: 3 };
const BINS = 32;

/**
 * Gradient-boosted trees for the logistic loss, second order, over binned features (Friedman 2001; Chen and Guestrin 2016).
 * The same examples give the same trees.
 */
export function boost(examples: readonly BoostExample[]): BoostedTrees {
  const random = generator(BOOSTING.seed);
  const cuts = [...(examples[0]?.features.keys() ?? [])].map((feature) =>
    cutsOf(examples.map(({ features }) => features[feature] ?? 0)),
  );
  const bins = cuts.map((cut, feature) =>
    Uint8Array.from(examples, ({ features }) => binOf(cut, features[feature] ?? 0)),
  );
  const total = examples.reduce((sum, { weight }) => sum + weight, 0);
  const harmful = examples.reduce((sum, example) => sum + (example.harmful ? example.weight : 0), 0);
  const bias = Math.log(harmful / (total - harmful));
  const odds = new Float64Array(examples.length).fill(bias);
  const slopes = new Float64Array(examples.length);
  const curves = new Float64Array(examples.length);
  const trees: Tree[] = [];
  for (let round = 0; round < BOOSTING.rounds; round++) {
    for (const [row, example] of examples.entries()) {
      const p = 1 / (1 + Math.exp(-(odds[row] ?? 0)));
      slopes[row] = (p - (example.harmful ? 1 : 0)) * example.weight;
      curves[row] = Math.max(1e-6, p * (1 - p)) * example.weight;
    }
    const rows = [...examples.keys()].filter(() => random() < BOOSTING.rows);
    const columns = cuts.flatMap((cut, feature) =>
      cut.length > 0 && random() < BOOSTING.columns ? [feature] : [],
    );
    const tree = grow({ columns, bins, cuts, slopes, curves }, rows);
    trees.push(tree);
    for (const [row, { features }] of examples.entries())
      odds[row] = (odds[row] ?? 0) + treeOdds(tree, features);
  }
  return { bias, trees };
}

/** Values between which a feature may be cut: all gaps, or quantiles where there are many. */
function cutsOf(values: readonly number[]): readonly number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const distinct = [...new Set(sorted)];
  if (distinct.length <= BINS)
    return distinct.slice(1).map((value, index) => (value + (distinct[index] ?? value)) / 2);
  const quantiles = Array.from(
    { length: BINS - 1 },
    (_, index) => sorted[Math.floor(((index + 1) * sorted.length) / BINS)] ?? 0,
  );
  return [...new Set(quantiles)].filter((cut) => cut > (sorted[0] ?? 0)).map(Math.fround);
}

function binOf(cuts: readonly number[], value: number): number {
  let bin = 0;
  while (bin < cuts.length && value >= (cuts[bin] ?? 0)) bin++;
  return bin;
}

interface Data {
  readonly columns: readonly number[];
  readonly bins: readonly Uint8Array[];
  readonly cuts: readonly (readonly number[])[];
  readonly slopes: Float64Array;
  readonly curves: Float64Array;
}

function grow(data: Data, rows: readonly number[]): Tree {
  const feature = Array.from({ length: NODES }, () => -1);
  const value = Array.from({ length: NODES }, () => 0);
  const node = (at: number, members: readonly number[]): void => {
    const sums = sumsOf(data, members);
    const split = 2 * at + 2 < NODES ? bestSplit(data, members, sums) : undefined;
    if (split === undefined) {
      value[at] = BOOSTING.rate * leafValue(sums);
      return;
    }
    feature[at] = split.feature;
    value[at] = data.cuts[split.feature]?.[split.bin] ?? 0;
    const bins = data.bins[split.feature];
    const isLeft = (row: number) => (bins?.[row] ?? 0) <= split.bin;
    node(2 * at + 1, members.filter(isLeft));
    node(
      2 * at + 2,
      members.filter((row) => !isLeft(row)),
    );
  };
  node(0, rows);
  return { feature, value };
}

/** Sums of first and second derivatives. */
interface Sums {
  readonly slope: number;
  readonly curve: number;
}

function sumsOf({ slopes, curves }: Data, rows: readonly number[]): Sums {
  let slope = 0;
  let curve = 0;
  for (const row of rows) {
    slope += slopes[row] ?? 0;
    curve += curves[row] ?? 0;
  }
  return { slope, curve };
}

const leafValue = ({ slope, curve }: Sums) => -slope / (curve + BOOSTING.penalty);

/** What a leaf with these sums takes off the loss. */
const gainOf = ({ slope, curve }: Sums) => (0.5 * slope * slope) / (curve + BOOSTING.penalty);

interface Split {
  readonly feature: number;
  /** Last bin that goes left. */
  readonly bin: number;
  readonly gain: number;
}

function bestSplit(data: Data, rows: readonly number[], all: Sums): Split | undefined {
  const whole = gainOf(all);
  let best: Split | undefined;
  const slopes = new Float64Array(BINS + 1);
  const curves = new Float64Array(BINS + 1);
  for (const feature of data.columns) {
    const bins = data.bins[feature];
    slopes.fill(0);
    curves.fill(0);
    for (const row of rows) {
      const bin = bins?.[row] ?? 0;
      slopes[bin] = (slopes[bin] ?? 0) + (data.slopes[row] ?? 0);
      curves[bin] = (curves[bin] ?? 0) + (data.curves[row] ?? 0);
    }
    let slope = 0;
    let curve = 0;
    for (let bin = 0; bin < (data.cuts[feature]?.length ?? 0); bin++) {
      slope += slopes[bin] ?? 0;
      curve += curves[bin] ?? 0;
      if (curve < BOOSTING.least || all.curve - curve < BOOSTING.least) continue;
      const under = { slope, curve };
      const over = { slope: all.slope - slope, curve: all.curve - curve };
      const gain = gainOf(under) + gainOf(over) - whole;
      if (gain > (best?.gain ?? 1e-6)) best = { feature, bin, gain };
    }
  }
  return best;
}
