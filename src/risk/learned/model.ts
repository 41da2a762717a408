import type { AssessedCall } from "../assessed-call.ts";
import type { CallView } from "../call-view.ts";
import { type Ruled, type RuleParams, ruleCall } from "../rules.ts";
import { type BoostedTrees, boostedOdds, NODES, type Tree } from "./boost.ts";
import { type Core, coreOf } from "./core.ts";
import { EVIDENCE, evidenceOf } from "./evidence.ts";
import { type LinearModel, wordOdds } from "./train.ts";
import { BUCKETS, bucketsOf } from "./words.ts";

/**
 * Probability that a call is harmful, 0–1, or null for no opinion. It reads the call's core alone, so that what the schema
 * does not declare, prose and the tool's own hints change nothing.
 */
export type LearnedRisk = (call: AssessedCall, params: RuleParams) => number | null;

/** No model: the rules stand alone. */
export const noLearnedRisk: LearnedRisk = () => null;

/** Word weights and trees, and the two numbers that make a probability of their log-odds. */
export interface RiskModel {
  readonly words: LinearModel;
  readonly trees: BoostedTrees;
  /** Probability = 1 / (1 + exp(-(slope × log-odds + shift))), fitted on writers left out (Platt 1999). */
  readonly slope: number;
  readonly shift: number;
}

/** A call as the model reads it, before the words are weighed. */
export interface ReadCall {
  readonly core: Core;
  readonly view: CallView;
  readonly ruled: Ruled;
  readonly buckets: readonly number[];
}

export function readCall(call: AssessedCall, params: RuleParams): ReadCall {
  const core = coreOf(call);
  const { annotations: _claims, ...definition } = call.definition;
  const { manifest: _confirmed, ...claimed } = call;
  const { view, ruled } = ruleCall({ ...claimed, definition, arguments: core.arguments }, params);
  return { core, view, ruled, buckets: bucketsOf(view, core) };
}

/**
 * What the rules' score adds to the log-odds from 0 to 100. Where arguments decide, the trees alone order calls best; where names and
 * descriptions say it all, the rules do. Chosen between the two on writers and sources left out.
 */
const RULES_SHARE = 2.4;

/** Log-odds of harm, before Platt's two numbers. */
export function oddsOf({ words, trees }: Pick<RiskModel, "words" | "trees">, read: ReadCall): number {
  const weighed = boostedOdds(trees, evidenceOf({ ...read, odds: wordOdds(words, read.buckets) }));
  return weighed + RULES_SHARE * (read.ruled.score / 100 - 0.5);
}

export const learnedRisk =
  (model: RiskModel): LearnedRisk =>
  (call, params) =>
    probability(model.slope * oddsOf(model, readCall(call, params)) + model.shift);

export const probability = (odds: number) => 1 / (1 + Math.exp(-odds));

/** A model as it is shipped: word weights as int8, trees as float32, both in base64. */
export interface PackedModel {
  /** Ids of the evidence that the trees were trained on, hashed. */
  readonly evidence: string;
  readonly bias: number;
  /** What one step of a word's weight is worth. */
  readonly scale: number;
  readonly words: string;
  readonly treesBias: number;
  readonly features: string;
  readonly values: string;
  readonly slope: number;
  readonly shift: number;
}

/** Of the evidence and its order, so that trees are never asked with other numbers than they were trained on. */
function evidenceHash(): string {
  let hash = 17;
  for (const { id } of EVIDENCE)
    for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0;
  return hash.toString(36);
}

const base64 = (bytes: Int8Array | Int16Array | Float32Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

export function packModel({ words, trees, slope, shift }: RiskModel): PackedModel {
  const largest = words.weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 1e-9);
  const scale = largest / 127;
  return {
    evidence: evidenceHash(),
    bias: words.bias,
    scale,
    words: base64(Int8Array.from(words.weights, (weight) => Math.round(weight / scale))),
    treesBias: trees.bias,
    features: base64(Int16Array.from(trees.trees.flatMap(({ feature }) => feature))),
    values: base64(Float32Array.from(trees.trees.flatMap(({ value }) => value))),
    slope,
    shift,
  };
}

const arrayOf = (text: string): ArrayBuffer => new Uint8Array(Buffer.from(text, "base64")).buffer;

/** @throws Error when the weights were made for other evidence or other buckets */
export function unpackModel(packed: PackedModel): RiskModel {
  const bytes = new Int8Array(arrayOf(packed.words));
  if (bytes.length !== BUCKETS || packed.evidence !== evidenceHash())
    throw new Error(
      "The weights of the risk model were trained for other evidence; run scripts/risk/train.ts.",
    );
  const features = [...new Int16Array(arrayOf(packed.features))];
  const values = [...new Float32Array(arrayOf(packed.values))];
  const trees = Array.from(
    { length: features.length / NODES },
    (_, index): Tree => ({
      feature: features.slice(index * NODES, (index + 1) * NODES),
      value: values.slice(index * NODES, (index + 1) * NODES),
    }),
  );
  return {
    words: { bias: packed.bias, weights: Float64Array.from(bytes, (byte) => byte * packed.scale) },
    trees: { bias: packed.treesBias, trees },
    slope: packed.slope,
    shift: packed.shift,
  };
}
