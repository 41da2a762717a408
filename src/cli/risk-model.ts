import { loadConfig } from "../config/load.ts";
import type { Assessment } from "../domain/assessment.ts";
import { systemClock } from "../domain/clock.ts";
import { AtlasError } from "../domain/errors.ts";
import { secureRandomBytes } from "../domain/ids.ts";
import { openJudge } from "../judges.ts";
import type { AssessedCall } from "../risk/assessed-call.ts";
import { combine } from "../risk/combine.ts";
import { createEmbeddedAssessor } from "../risk/embedded.ts";
import type { Pass } from "../risk/models/question.ts";
import { configPath, dataDir, type WhereOptions } from "./where.ts";

export interface ModelExplanation {
  readonly assessment: Assessment;
  /** What the model was shown and answered. */
  readonly passes: readonly Pass[];
}

/**
 * Assesses a call as a gateway with that configuration would if it asked its model about every call.
 *
 * @throws AtlasError `config.invalid` when the configuration cannot be used or names no model
 */
export async function explainWithModel(call: AssessedCall, options: WhereOptions): Promise<ModelExplanation> {
  const file = configPath(options);
  const { risk } = loadConfig({ path: file, env: process.env, dataDir: dataDir(options) });
  if (risk.model === null)
    throw new AtlasError(
      "config.invalid",
      `${file} names no model; add one under risk.model (docs/models.md).`,
    );
  const { threshold, packs, insideDomains, moneyFloor } = risk;
  const limits = moneyFloor === null ? {} : { moneyFloor };
  const embedded = createEmbeddedAssessor({ threshold, packs, insideDomains, ...limits }).assess(call);
  const clock = systemClock;
  const { judge, deadlineMs } = await openJudge(risk.model, threshold, { clock, random: secureRandomBytes });
  try {
    const model = await judge.judge(call, { deadlineMs });
    return { assessment: combine({ embedded, judge: judge.id, model, threshold }), passes: model.passes };
  } finally {
    judge.close();
  }
}
