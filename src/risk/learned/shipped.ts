import { type LearnedRisk, learnedRisk, unpackModel } from "./model.ts";
import { WEIGHTS } from "./weights.ts";

/** The model that ships with the package. */
export const shippedRisk: LearnedRisk = learnedRisk(unpackModel(WEIGHTS));
