import type { Result } from "../../domain/errors.ts";

/** Why a model gave no answer that counts. Each of them means a score of 100. */
export type FailureCause =
  /** No answer before the deadline. */
  | "timeout"
  /** Could not be reached, or broke off in the middle. */
  | "unreachable"
  /** Answered, but not with an answer: an error status, a quota, an exception of its own. */
  | "refused"
  /** Its answer cannot be read as one score. */
  | "malformed"
  /** Set up wrong: no such function, credentials not accepted, another model answered. */
  | "misconfigured"
  /** The call is too long to be shown whole, and a cut call is not judged. */
  | "too_long"
  /** More questions in this minute than the budget has. */
  | "over_budget"
  /** It failed often, or answered a question wrong whose answer is known, and is not asked for a while. */
  | "not_trusted"
  /** The gateway stopped asking: it closes, or nobody needs the answer any more. */
  | "stopped";

export interface ProviderFailure {
  readonly cause: FailureCause;
  /** For an operator; never text of the call, of the answer, or a secret. */
  readonly detail: string;
}

/** What a model is asked. Instruction and data stay apart as far as the provider's protocol lets them. */
export interface Prompt {
  readonly instruction: string;
  readonly data: string;
}

/** One way to reach one model. One question is one request: nothing here asks twice. */
export interface Provider {
  /** Names provider and model in records, e.g. `openai:gpt-4.1-mini`. */
  readonly id: string;
  /** What exactly the model reads, for the record. */
  render(prompt: Prompt): string;
  /**
   * Asks once. Never throws.
   *
   * @returns the answer, a text or an already decoded JSON value
   */
  ask(prompt: Prompt, signal: AbortSignal): Promise<Result<unknown, ProviderFailure>>;
}

/** Longest answer in tokens that a model is given room for: one score and one sentence need far less. */
export const MAX_ANSWER_TOKENS = 512;

/** Longest answer in bytes that is read. */
export const MAX_ANSWER_BYTES = 64 * 1024;
