import {
  type Assessment,
  classificationOf,
  failedAssessment,
  type RiskFactor,
} from "../domain/assessment.ts";
import type { ModelAnswer, ModelFailure } from "./models/judge.ts";

export interface CombineParams {
  readonly embedded: Assessment;
  /** Provider and model, for the record. */
  readonly judge: string;
  readonly model:
    | Pick<ModelAnswer, "kind" | "score" | "rationale">
    | Pick<ModelFailure, "kind" | "cause" | "detail">;
  /** Score from which a call pauses. */
  readonly threshold: number;
}

/** What the embedded assessor knows rather than estimates, which no model lowers. 0–100. */
export function hardFloorOf(embedded: Assessment): number {
  return embedded.hard_floor ?? embedded.risk_score;
}

/**
 * One assessment of two: max(hard floor, model). What the embedded assessor only estimates, the model replaces; a model
 * that gave no score, for whatever reason, makes it 100.
 */
export function combine({ embedded, judge, model, threshold }: CombineParams): Assessment {
  const assessor = `${judge}+${embedded.assessor}`;
  if (model.kind === "failure") return failed(embedded, assessor, `${model.detail} [${model.cause}]`);
  if (!Number.isInteger(model.score) || model.score < 0 || model.score > 100)
    return failed(embedded, assessor, "The model gave no score from 0 to 100.");
  const floor = hardFloorOf(embedded);
  const score = Math.max(floor, model.score);
  return {
    risk_score: score,
    classification: classificationOf(score),
    action: score >= threshold ? "PAUSE" : "AUTO_APPROVE",
    factors: byWeight([{ id: "model.judge", weight: model.score, evidence: "" }, ...embedded.factors]),
    rationale: `${told(score, floor, model.score, embedded)} The model wrote: ${JSON.stringify(model.rationale)}`,
    assessor,
    read_only: embedded.read_only && classificationOf(score) === "LOW",
    hard_floor: floor,
  };
}

function told(score: number, floor: number, said: number, embedded: Assessment): string {
  if (said < floor)
    return `The model scored ${said}, but what the rules know is not overruled: ${score}. ${embedded.rationale}`;
  const instead =
    said === embedded.risk_score ? "" : `, where the rules alone had estimated ${embedded.risk_score}`;
  return `The model scored ${said}${instead}.`;
}

function failed(embedded: Assessment, assessor: string, why: string): Assessment {
  const failure = failedAssessment(
    `The model gave no usable score, so a human decides: ${why} ${embedded.rationale}`,
  );
  return { ...failure, factors: [...failure.factors, ...embedded.factors], assessor, hard_floor: 100 };
}

const byWeight = (factors: readonly RiskFactor[]) => factors.toSorted((a, b) => b.weight - a.weight);
