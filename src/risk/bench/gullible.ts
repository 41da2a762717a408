import type { Assessor } from "../assessed-call.ts";
import { combine } from "../combine.ts";

/** The assessor together with the worst of models, which finds everything harmless: what is left is what no model lowers. */
export function withGullibleModel(assessor: Assessor, threshold: number): Assessor {
  const model = { kind: "answer", score: 0, rationale: "" } as const;
  return {
    assess: (call) => combine({ embedded: assessor.assess(call), judge: "gullible", model, threshold }),
  };
}
