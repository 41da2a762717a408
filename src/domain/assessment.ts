/** What policy says of a call. */
export const VERDICTS = ["allow", "deny", "assess", "review"] as const;
export type Verdict = (typeof VERDICTS)[number];

export const CLASSIFICATIONS = ["LOW", "MEDIUM", "HIGH_RISK", "CRITICAL"] as const;
export type Classification = (typeof CLASSIFICATIONS)[number];

/** Score from which a call pauses for a human, when the configuration names no other. */
export const DEFAULT_RISK_THRESHOLD = 70;

/** One reason for a score. Evidence is a place in the call, never its text. */
export interface RiskFactor {
  readonly id: string;
  /** What this factor alone would score, 0–100. */
  readonly weight: number;
  /** JSON pointer into `{name, description, annotations, arguments, manifest}` of the call; `""` is the call as a whole. */
  readonly evidence: string;
  /** Legal or framework tag, e.g. `EU AI Act Annex III 5(a)`. */
  readonly tag?: string;
}

/** The answer of an assessor, in the words of the wire contract. */
export interface Assessment {
  /** Integer 0–100. */
  readonly risk_score: number;
  readonly classification: Classification;
  readonly action: "AUTO_APPROVE" | "PAUSE";
  readonly factors: readonly RiskFactor[];
  readonly rationale: string;
  /** Which assessor and version, e.g. `embedded@1`. */
  readonly assessor: string;
  /** The call was understood as reading only; a time-out of such a call is a failure, not an unknown outcome. */
  readonly read_only: boolean;
  /**
   * The part of the score that no model's opinion may go below, 0–100. Absent: all of it; an assessor that does not
   * tell what it knows from what it estimates has nothing overruled.
   */
  readonly hard_floor?: number;
}

/** Classes by score; HIGH_RISK begins at the default threshold, so the words and the pause agree. */
export function classificationOf(riskScore: number): Classification {
  if (riskScore >= 90) return "CRITICAL";
  if (riskScore >= 70) return "HIGH_RISK";
  if (riskScore >= 40) return "MEDIUM";
  return "LOW";
}

/** The answer when assessing failed: nobody may pass on a score that was never made. */
export function failedAssessment(reason: string): Assessment {
  return {
    risk_score: 100,
    classification: "CRITICAL",
    action: "PAUSE",
    factors: [{ id: "assessor.failed", weight: 100, evidence: "" }],
    rationale: reason,
    assessor: "none",
    read_only: false,
  };
}
