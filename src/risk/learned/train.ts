import { BUCKETS } from "./words.ts";

export interface WordExample {
  readonly buckets: readonly number[];
  readonly harmful: boolean;
  /** Weight of the example in the loss. */
  readonly weight: number;
}

export interface LinearModel {
  readonly bias: number;
  readonly weights: Float64Array;
}

/** Proposed, chosen on calls of writers left out. */
const TRAINING = { epochs: 12, rate: 0.15, penalty: 2e-4, seed: 7 };

/**
 * Logistic regression by AdaGrad. The same examples give the same weights.
 */
export function trainWords(examples: readonly WordExample[]): LinearModel {
  const shown = [...examples];
  const weights = new Float64Array(BUCKETS);
  const squares = new Float64Array(BUCKETS).fill(1e-3);
  let bias = 0;
  let biasSquares = 1e-3;
  const random = generator(TRAINING.seed);
  for (let epoch = 0; epoch < TRAINING.epochs; epoch++) {
    shuffle(shown, random);
    for (const { buckets, harmful, weight } of shown) {
      const slope = (1 / (1 + Math.exp(-sumOf(bias, weights, buckets))) - (harmful ? 1 : 0)) * weight;
      biasSquares += slope * slope;
      bias -= (TRAINING.rate * slope) / Math.sqrt(biasSquares);
      for (const bucket of buckets) {
        const old = weights[bucket] ?? 0;
        const step = slope + TRAINING.penalty * old;
        const square = (squares[bucket] ?? 0) + step * step;
        squares[bucket] = square;
        weights[bucket] = old - (TRAINING.rate * step) / Math.sqrt(square);
      }
    }
  }
  return { bias, weights };
}

/** Log-odds of harm. */
export const wordOdds = ({ bias, weights }: LinearModel, buckets: readonly number[]) =>
  sumOf(bias, weights, buckets);

function sumOf(bias: number, weights: Float64Array, buckets: readonly number[]): number {
  let sum = bias;
  for (const bucket of buckets) sum += weights[bucket] ?? 0;
  return sum;
}

/** Mulberry32: small, seeded, good enough to shuffle and to sample. */
export function generator(seed: number): () => number {
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
