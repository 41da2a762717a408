import type { AssessedCall } from "../risk/assessed-call.ts";
import type { ModelAnswer, ModelFailure } from "../risk/models/judge.ts";
import type { Judging } from "./rule-call.ts";

type Given = ModelAnswer | ModelFailure;

export const scored = (score: number): Given => ({
  kind: "answer",
  score,
  rationale: "Because the model says so.",
  passes: [],
});

export const failed = (cause: ModelFailure["cause"]): Given => ({
  kind: "failure",
  cause,
  detail: "It did not work.",
  passes: [],
});

/** A model whose answers the test gives, when it gives them. */
export interface ScriptedJudging extends Judging {
  /** Calls it was asked about. */
  readonly asked: AssessedCall[];
  /** Questions that were broken off. */
  readonly stopped: () => number;
  /** What it says from now on; null keeps it thinking until it is told. */
  says(given: Given | null): void;
}

export function scriptedJudging(first: Given | null): ScriptedJudging {
  let answer = first;
  let stopped = 0;
  const thinking = new Set<(given: Given) => void>();
  const asked: AssessedCall[] = [];
  return {
    deadlineMs: 20_000,
    asked,
    stopped: () => stopped,
    says(given) {
      answer = given;
      if (given !== null) for (const tell of thinking) tell(given);
    },
    judge: {
      id: "scripted:model",
      judge: (call, { signal }) =>
        new Promise((resolve) => {
          asked.push(call);
          if (answer !== null) resolve(answer);
          thinking.add(resolve);
          signal?.addEventListener("abort", () => {
            stopped += 1;
            resolve(failed("stopped"));
          });
        }),
      warm: async () => null,
      close() {
        for (const tell of thinking) tell(failed("stopped"));
      },
    },
  };
}
