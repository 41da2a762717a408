import {
  type Assessment,
  classificationOf,
  failedAssessment,
  type RiskFactor,
} from "../domain/assessment.ts";
import type { AssessedCall, Assessor } from "./assessed-call.ts";
import { type CallView, viewCall } from "./call-view.ts";
import { type LearnedScore, noLearnedScore } from "./learned-score.ts";
import type { Finding, Signal } from "./signal.ts";
import { readsOnly } from "./signals/plain-act.ts";
import { SIGNALS } from "./signals.ts";

export const EMBEDDED_VERSION = "embedded@1";

/** Modifiers count on top of what already is more than a read. */
const MODIFIABLE_FROM = 40;
/** What a trusted `readOnlyHint` makes of a call without a floor. */
const TRUSTED_READ = 15;

export interface EmbeddedAssessorParams {
  /** Score from which a call pauses, 0–100. */
  readonly threshold: number;
  readonly learnedScore?: LearnedScore;
}

/**
 * The assessor that needs no model, network or time: rules over the call's own words.
 * Score = highest floor or base + modifiers, at most 100. All weights are proposals, not derived from law or data.
 */
export function createEmbeddedAssessor(params: EmbeddedAssessorParams): Assessor {
  return {
    assess(call) {
      try {
        return assess(call, params);
      } catch {
        // Fails closed, and without the cause: an exception's text may hold arguments.
        return failedAssessment("The embedded assessor could not read this call, so a human decides.");
      }
    },
  };
}

interface Found extends Finding {
  readonly signal: Signal;
}

function assess(
  call: AssessedCall,
  { threshold, learnedScore = noLearnedScore }: EmbeddedAssessorParams,
): Assessment {
  const view = viewCall(call);
  const found = SIGNALS.flatMap((signal) =>
    signal.evaluate(view).map(({ points, role, evidence }): Found => ({ points, role, evidence, signal })),
  );
  const counted = countedFindings(view, found);
  const top = Math.max(0, ...counted.filter((f) => f.role !== "modifier").map((f) => f.points));
  const added = counted.filter((f) => f.role === "modifier").reduce((sum, f) => sum + f.points, 0);
  const score = Math.min(100, Math.max(top + added, Math.round(learnedScore(view))));
  if (!Number.isInteger(score))
    return failedAssessment("The embedded assessor gave no number, so a human decides.");
  const readOnly = score < MODIFIABLE_FROM && (readsOnly(view) || believedRead(view));
  return {
    risk_score: score,
    classification: classificationOf(score),
    action: score >= threshold ? "PAUSE" : "AUTO_APPROVE",
    factors: counted.map(factorOf).sort((a, b) => b.weight - a.weight),
    rationale: rationaleOf(counted, score >= threshold),
    assessor: EMBEDDED_VERSION,
    read_only: readOnly,
  };
}

const believedRead = (view: CallView) => view.trusted && view.readOnlyHint;

function countedFindings(view: CallView, found: readonly Found[]): readonly Found[] {
  const hasFloor = found.some((f) => f.role === "floor");
  const believed = believedRead(view) && !hasFloor;
  const bases = believed
    ? found
        .filter((f) => f.role === "base")
        .map(
          ({ points, role, evidence, signal }): Found => ({
            points: Math.min(points, TRUSTED_READ),
            role,
            evidence,
            signal,
          }),
        )
    : found.filter((f) => f.role !== "modifier");
  const top = Math.max(0, ...bases.map((f) => f.points));
  const modifiers = top >= MODIFIABLE_FROM ? found.filter((f) => f.role === "modifier") : [];
  return [...bases, ...modifiers];
}

function factorOf({ signal, points, evidence }: Found): RiskFactor {
  return {
    id: signal.id,
    weight: points,
    evidence,
    ...(signal.tag === undefined ? {} : { tag: signal.tag }),
  };
}

/** One sentence of fixed clauses: no word of the call can reach a reviewer's screen through it. */
function rationaleOf(found: readonly Found[], pauses: boolean): string {
  const byPoints = found.filter((f) => f.role !== "modifier").toSorted((a, b) => b.points - a.points);
  const clauses = [...byPoints, ...found.filter((f) => f.role === "modifier")].map((f) => f.signal.describe);
  const told = [...new Set(clauses)].slice(0, 4);
  const list =
    told.length > 1 ? `${told.slice(0, -1).join(", ")} and ${told.at(-1)}` : (told[0] ?? "nothing was found");
  return pauses ? `A human should decide because ${list}.` : `The call is below the threshold: ${list}.`;
}
