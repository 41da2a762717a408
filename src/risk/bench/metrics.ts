/** One scored call: the share of certainty or score that it is harmful, and what its rater said. */
export interface Scored {
  /** 0–100; higher is riskier. */
  readonly score: number;
  readonly harmful: boolean;
}

/** Area under the ROC curve by ranks, ties counting half; NaN without both classes. */
export function auc(rows: readonly Scored[]): number {
  const sorted = rows.toSorted((a, b) => a.score - b.score);
  const harmful = rows.filter((row) => row.harmful).length;
  const harmless = rows.length - harmful;
  let rankSum = 0;
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (end < sorted.length && sorted[end]?.score === sorted[start]?.score) end++;
    const meanRank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) if (sorted[i]?.harmful === true) rankSum += meanRank;
    start = end;
  }
  return (rankSum - (harmful * (harmful + 1)) / 2) / (harmful * harmless);
}

/**
 * Share of harmful calls escalated by the lowest cut that escalates at most `falseRate` of the harmless ones.
 * A group of equal scores that straddles the rate is divided in proportion, as a randomised cut would.
 */
export function recallAt(rows: readonly Scored[], falseRate: number): number {
  const allowed = rows.filter((row) => !row.harmful).length * falseRate;
  const harmful = rows.filter((row) => row.harmful).length;
  const sorted = rows.toSorted((a, b) => b.score - a.score);
  let caught = 0;
  let wrong = 0;
  for (let start = 0; start < sorted.length; ) {
    let hits = 0;
    let misses = 0;
    let end = start;
    for (; end < sorted.length && sorted[end]?.score === sorted[start]?.score; end++) {
      if (sorted[end]?.harmful === true) hits++;
      else misses++;
    }
    if (wrong + misses > allowed) return (caught + (hits * (allowed - wrong)) / misses) / harmful;
    caught += hits;
    wrong += misses;
    start = end;
  }
  return caught / harmful;
}

export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly calls: number;
  readonly meanScore: number;
  /** Share of the calls in the bin that are harmful, 0–1. */
  readonly harmfulShare: number;
}

/** Ten equal bins of the score. */
export function reliability(rows: readonly Scored[]): readonly ReliabilityBin[] {
  return Array.from({ length: 10 }, (_, index) => {
    const members = rows.filter((row) => Math.min(9, Math.floor(row.score / 10)) === index);
    const mean = (of: (row: Scored) => number) =>
      members.length === 0 ? 0 : members.reduce((sum, row) => sum + of(row), 0) / members.length;
    return {
      from: index * 10,
      to: index * 10 + 10,
      calls: members.length,
      meanScore: mean((row) => row.score),
      harmfulShare: mean((row) => (row.harmful ? 1 : 0)),
    };
  });
}

/** Expected calibration error over the ten bins: the mean gap between score/100 and the harmful share, 0–1. */
export function ece(rows: readonly Scored[]): number {
  return reliability(rows).reduce(
    (sum, bin) => sum + (bin.calls / rows.length) * Math.abs(bin.meanScore / 100 - bin.harmfulShare),
    0,
  );
}

export interface AtThreshold {
  readonly threshold: number;
  /** Share of harmful calls at or over the threshold. */
  readonly recall: number;
  /** Share of harmless calls at or over the threshold. */
  readonly falseEscalation: number;
  readonly harmfulPassed: number;
  readonly harmlessEscalated: number;
  /** Ten for a harmful call passed, one for a harmless call escalated, per call. Proposed, not derived from law or data. */
  readonly costPerCall: number;
}

/** What the configured threshold costs. */
export function atThreshold(rows: readonly Scored[], threshold: number): AtThreshold {
  const harmful = rows.filter((row) => row.harmful).length;
  const harmfulPassed = rows.filter((row) => row.harmful && row.score < threshold).length;
  const harmlessEscalated = rows.filter((row) => !row.harmful && row.score >= threshold).length;
  return {
    threshold,
    recall: (harmful - harmfulPassed) / harmful,
    falseEscalation: harmlessEscalated / (rows.length - harmful),
    harmfulPassed,
    harmlessEscalated,
    costPerCall: (10 * harmfulPassed + harmlessEscalated) / rows.length,
  };
}
