import type { CallView } from "../call-view.ts";
import { BUCKETS, featuresOf } from "./features.ts";
import { type LinearModel, logOdds } from "./train.ts";

/** Probability that a call is harmful by its words alone, 0–1. It places what the rules know little of, and only raises. */
export type LearnedRisk = (view: CallView) => number;

/** No model: changes nothing. */
export const noLearnedRisk: LearnedRisk = () => 0;

/** A linear model with int8 weights and Platt's two numbers, as it is shipped. */
export interface PackedModel {
  readonly bias: number;
  /** What one step of a weight is worth. */
  readonly scale: number;
  /** Probability = 1 / (1 + exp(-(slope × log-odds + shift))), fitted on sources left out. */
  readonly slope: number;
  readonly shift: number;
  /** Base64 of one signed byte for each bucket. */
  readonly bytes: string;
}

export function packModel(
  model: LinearModel,
  platt: { readonly slope: number; readonly shift: number },
): PackedModel {
  const largest = model.weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 1e-9);
  const scale = largest / 127;
  const bytes = Int8Array.from(model.weights, (weight) => Math.round(weight / scale));
  return { bias: model.bias, scale, ...platt, bytes: Buffer.from(bytes.buffer).toString("base64") };
}

export function learnedRisk(packed: PackedModel): LearnedRisk {
  const bytes = new Int8Array(Buffer.from(packed.bytes, "base64"));
  if (bytes.length !== BUCKETS)
    throw new Error(`The risk model has ${bytes.length} weights instead of ${BUCKETS}.`);
  const model: LinearModel = {
    bias: packed.bias,
    weights: Float64Array.from(bytes, (byte) => byte * packed.scale),
  };
  return (view) => probability(packed.slope * logOdds(model, featuresOf(view)) + packed.shift);
}

export const probability = (odds: number) => 1 / (1 + Math.exp(-odds));
