import type { Clock } from "../../domain/clock.ts";
import { fail, ok, type Result } from "../../domain/errors.ts";
import type { AssessedCall } from "../assessed-call.ts";
import { type Breaker, createBreaker } from "./breaker.ts";
import { type Budget, createBudget } from "./budget.ts";
import { askCanary } from "./canary.ts";
import { isTimeout, unlessAborted } from "./deadline.ts";
import type { FailureCause, ProviderFailure } from "./provider.ts";
import {
  type Answered,
  createQuestions,
  type Pass,
  type QuestionParams,
  type Questions,
} from "./question.ts";

export interface ModelAnswer {
  readonly kind: "answer";
  /** Whole number 0–100: the highest of the passes. */
  readonly score: number;
  /** The model's words from the pass that scored highest. Untrusted text. */
  readonly rationale: string;
  readonly passes: readonly Pass[];
}

export interface ModelFailure {
  readonly kind: "failure";
  readonly cause: FailureCause;
  /** For an operator; never text of the call, of the answer, or a secret. */
  readonly detail: string;
  readonly passes: readonly Pass[];
}

/** A model that is asked for a score. */
export interface ModelJudge {
  /** Provider and model, for records. */
  readonly id: string;
  /**
   * Asks the model about a call: twice, with and without its arguments, and takes the higher score.
   * Never throws, and never takes longer than the deadline.
   *
   * @param limits.signal ends the question; the answer is then a failure `stopped`
   * @param limits.deadlineMs time for everything, from now
   */
  judge(
    call: AssessedCall,
    limits: { readonly signal?: AbortSignal; readonly deadlineMs: number },
  ): Promise<ModelAnswer | ModelFailure>;
  /** Wakes the model and asks the canary question. @returns what an operator should know, null when all is well */
  warm(): Promise<string | null>;
  /** Breaks off what is being asked. */
  close(): void;
}

export interface ModelJudgeParams extends QuestionParams {
  /** Questions in any minute; a call takes two. */
  readonly perMinute: number;
  readonly clock: Pick<Clock, "monotonicMs">;
}

interface Parts {
  readonly questions: Questions;
  readonly budget: Budget;
  readonly breaker: Breaker;
}

export function createModelJudge(params: ModelJudgeParams): ModelJudge {
  const closing = new AbortController();
  const questions = createQuestions(params);
  const breaker = createBreaker(() => askCanary(questions, closing.signal), params.clock);
  const parts = { questions, breaker, budget: createBudget(params.perMinute, params.clock) };
  return {
    id: params.provider.id,
    judge(call, { signal, deadlineMs }) {
      const limits = [closing.signal, AbortSignal.timeout(deadlineMs)];
      return judge(call, AbortSignal.any(signal === undefined ? limits : [...limits, signal]), parts);
    },
    warm: () => breaker.prove(),
    close: () => closing.abort(),
  };
}

async function judge(
  call: AssessedCall,
  signal: AbortSignal,
  { questions, budget, breaker }: Parts,
): Promise<ModelAnswer | ModelFailure> {
  const open = breaker.open();
  if (open !== null) return failure({ cause: "not_trusted", detail: open });
  const alone = questions.promptFor(call, false);
  const whole = questions.promptFor(call, true);
  if (alone === null || whole === null)
    return failure({ cause: "too_long", detail: "The call is too long to be shown to the model whole." });
  if (!budget.take(2))
    return failure({ cause: "over_budget", detail: "The model's budget for this minute is used up." });
  const [proof, ...answered] = await Promise.all([
    unlessAborted(signal, proofOf(breaker)),
    questions.put(alone, false, signal),
    questions.put(whole, true, signal),
  ]);
  const result = highest(answered);
  // A question that somebody broke off says nothing about the model.
  if (!signal.aborted || isTimeout(signal)) breaker.heard(result.kind === "answer");
  return result.kind === "answer" && !proof.ok ? failure(proof.failure, result.passes) : result;
}

/** The canary's answer, as if it were one of a provider. */
async function proofOf(breaker: Breaker): Promise<Result<null, ProviderFailure>> {
  const problem = await breaker.prove();
  return problem === null ? ok(null) : fail({ cause: "not_trusted", detail: problem });
}

/** Of the answers the one with the highest score; a failure when any pass failed. */
function highest(answered: readonly Answered[]): ModelAnswer | ModelFailure {
  const passes = answered.map((a) => a.pass);
  let best: { score: number; rationale: string } = { score: -1, rationale: "" };
  for (const { read } of answered) {
    if (!read.ok) return failure(read.failure, passes);
    if (read.value.score > best.score) best = read.value;
  }
  return { kind: "answer", ...best, passes };
}

function failure(why: ProviderFailure, passes: readonly Pass[] = []): ModelFailure {
  return { kind: "failure", ...why, passes };
}
