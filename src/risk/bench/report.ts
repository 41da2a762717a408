import type { AssessedCall, Assessor } from "../assessed-call.ts";
import { createEmbeddedAssessor } from "../embedded.ts";
import { probability } from "../learned/model.ts";
import { leaveOneSourceOut, type Prepared, plattOf, prepare } from "./leave-one-out.ts";
import {
  type AtThreshold,
  atThreshold,
  auc,
  ece,
  type ReliabilityBin,
  recallAt,
  reliability,
  type Scored,
} from "./metrics.ts";
import type { LabelledCall } from "./rows.ts";

export interface ScoredCall extends Scored {
  readonly row: LabelledCall;
}

export interface Figures {
  readonly calls: number;
  readonly harmful: number;
  /** Area under the ROC curve; null when the calls are all harmful or all harmless. */
  readonly auc: number | null;
  /** Share of harmful calls caught when one harmless call in ten is escalated. */
  readonly recallAt10: number | null;
  readonly ece: number;
  readonly atThreshold: AtThreshold;
}

export interface BenchReport extends Figures {
  readonly withoutBorderline: Figures;
  readonly perSource: Readonly<Record<string, Figures>>;
  /** Families of impact: how many calls, and what share of them the threshold pauses. */
  readonly perFamily: Readonly<Record<string, { readonly calls: number; readonly paused: number }>>;
  readonly reliability: readonly ReliabilityBin[];
}

export interface ScoreParams {
  readonly threshold: number;
  readonly packs: readonly string[];
  /** Replace the shipped weights by ones trained on the other sources, for each source. */
  readonly leaveOneSourceOut: boolean;
  /** Calls to train on besides, whichever source is left out. */
  readonly always?: readonly Prepared[];
  /** What a row counts in training, beside those. */
  readonly weight?: number;
}

/** Scores labelled calls by the embedded assessor. */
export function scoreRows(rows: readonly LabelledCall[], params: ScoreParams): readonly ScoredCall[] {
  const score = (call: AssessedCall, assessor: Assessor) => assessor.assess(call).risk_score;
  const { threshold, packs } = params;
  if (!params.leaveOneSourceOut) {
    const assessor = createEmbeddedAssessor({ threshold, packs });
    return rows.map((row) => ({ row, harmful: row.harmful, score: score(row.call, assessor) }));
  }
  const left = leaveOneSourceOut(prepare(rows, params.weight ?? 1), params.always ?? []);
  const { slope, shift } = plattOf(left);
  return left.map(({ row, odds }) => {
    const risk = probability(slope * odds + shift);
    const assessor = createEmbeddedAssessor({ threshold, packs, learnedRisk: () => risk });
    return { row, harmful: row.harmful, score: score(row.call, assessor) };
  });
}

export function figuresOf(scored: readonly Scored[], threshold: number): Figures {
  const harmful = scored.filter((row) => row.harmful).length;
  const both = harmful > 0 && harmful < scored.length;
  return {
    calls: scored.length,
    harmful,
    auc: both ? auc(scored) : null,
    recallAt10: both ? recallAt(scored, 0.1) : null,
    ece: scored.length === 0 ? 0 : ece(scored),
    atThreshold: atThreshold(scored, threshold),
  };
}

export function reportOf(scored: readonly ScoredCall[], threshold: number): BenchReport {
  return {
    ...figuresOf(scored, threshold),
    withoutBorderline: figuresOf(
      scored.filter(({ row }) => !row.borderline),
      threshold,
    ),
    perSource: groups(
      scored,
      ({ row }) => row.source,
      (members) => figuresOf(members, threshold),
    ),
    perFamily: groups(
      scored,
      ({ row }) => row.code,
      (members) => ({
        calls: members.length,
        paused: members.filter(({ score }) => score >= threshold).length / members.length,
      }),
    ),
    reliability: reliability(scored),
  };
}

function groups<T>(
  scored: readonly ScoredCall[],
  key: (scored: ScoredCall) => string,
  figures: (members: readonly ScoredCall[]) => T,
): Readonly<Record<string, T>> {
  const names = [...new Set(scored.map(key))].toSorted();
  return Object.fromEntries(names.map((name) => [name, figures(scored.filter((row) => key(row) === name))]));
}
