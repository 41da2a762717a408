import { BUCKETS, type CallFeatures } from "./features.ts";

export interface Example {
  readonly features: CallFeatures;
  readonly harmful: boolean;
  /** Weight of the example in the loss. */
  readonly weight: number;
}

export interface LinearModel {
  readonly bias: number;
  readonly weights: Float64Array;
}

export interface TrainParams {
  readonly epochs: number;
  readonly rate: number;
  /** L2 penalty per step. */
  readonly penalty: number;
  readonly seed: number;
}

/** Proposed, chosen by leave-one-source-out on the development sources. */
export const TRAINING: TrainParams = { epochs: 12, rate: 0.15, penalty: 2e-4, seed: 7 };

/**
 * Logistic regression by AdaGrad. Each example is shown as its definition alone and with each of its keys, so that
 * the model is fit for being asked that way. The same examples and seed give the same weights.
 */
export function train(examples: readonly Example[], params: TrainParams = TRAINING): LinearModel {
  const shown = examples.flatMap(({ features, harmful, weight }) => {
    const views = [
      features.definition,
      ...features.keys.slice(0, 6).map((key) => [...features.definition, ...key]),
    ];
    return views.map((buckets) => ({ buckets, target: harmful ? 1 : 0, weight: weight / views.length }));
  });
  const weights = new Float64Array(BUCKETS);
  const squares = new Float64Array(BUCKETS).fill(1e-3);
  let bias = 0;
  let biasSquares = 1e-3;
  const random = generator(params.seed);
  for (let epoch = 0; epoch < params.epochs; epoch++) {
    shuffle(shown, random);
    for (const { buckets, target, weight } of shown) {
      let sum = bias;
      for (const bucket of buckets) sum += weights[bucket] ?? 0;
      const slope = (1 / (1 + Math.exp(-sum)) - target) * weight;
      biasSquares += slope * slope;
      bias -= (params.rate * slope) / Math.sqrt(biasSquares);
      for (const bucket of buckets) {
        const step = slope + params.penalty * (weights[bucket] ?? 0);
        const square = (squares[bucket] ?? 0) + step * step;
        squares[bucket] = square;
        weights[bucket] = (weights[bucket] ?? 0) - (params.rate * step) / Math.sqrt(square);
      }
    }
  }
  return { bias, weights };
}

/** Highest log-odds of the definition alone and with each key: adding an argument cannot lower it. */
export function logOdds(model: LinearModel, features: CallFeatures): number {
  let alone = model.bias;
  for (const bucket of features.definition) alone += model.weights[bucket] ?? 0;
  let highest = 0;
  for (const key of features.keys) {
    let added = 0;
    for (const bucket of key) added += model.weights[bucket] ?? 0;
    highest = Math.max(highest, added);
  }
  return alone + highest;
}

/** Mulberry32: small, seeded, good enough to shuffle. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function shuffle<T>(items: T[], random: () => number): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const held = items[last];
    const swapped = items[other];
    if (held === undefined || swapped === undefined) continue;
    items[last] = swapped;
    items[other] = held;
  }
}
