import type { CallView } from "./call-view.ts";

/**
 * Score of a trained model, integer 0–100, combined by maximum: it can raise a call and never lower one.
 * There are no weights yet, so it says 0, which changes nothing.
 */
export type LearnedScore = (view: CallView) => number;

export const noLearnedScore: LearnedScore = () => 0;
