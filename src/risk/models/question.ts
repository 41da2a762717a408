import { sha256 } from "../../domain/digest.ts";
import { fail, type Result } from "../../domain/errors.ts";
import { type RandomBytes, randomHex, type Sha256Hex } from "../../domain/ids.ts";
import type { AssessedCall } from "../assessed-call.ts";
import { answerText, type ReadAnswer, readAnswer } from "./answer.ts";
import { unlessAborted } from "./deadline.ts";
import { type AnswerForm, promptOf } from "./prompt.ts";
import type { Prompt, Provider, ProviderFailure } from "./provider.ts";

/** One question as it was put, and what came back. */
export interface Pass {
  /** Whether the model saw the arguments. */
  readonly arguments: boolean;
  /** What the model read, whole. */
  readonly shown: string;
  readonly shown_sha256: Sha256Hex;
  /** What the model answered, whole; null when nothing came. */
  readonly answer: string | null;
}

export interface Answered {
  readonly pass: Pass;
  readonly read: Result<ReadAnswer, ProviderFailure>;
}

export interface QuestionParams {
  readonly provider: Provider;
  readonly form: AnswerForm;
  /** Score from which a call pauses. */
  readonly threshold: number;
  readonly random: RandomBytes;
}

/** Puts one prompt and reads the answer strictly; an answer that does not count is a failure. Never throws. */
export interface Questions {
  /** null: the call is too long to be shown whole. */
  promptFor(call: AssessedCall, withArguments: boolean): Prompt | null;
  put(prompt: Prompt, withArguments: boolean, signal: AbortSignal): Promise<Answered>;
}

export function createQuestions({ provider, form, threshold, random }: QuestionParams): Questions {
  return {
    promptFor: (call, withArguments) => promptOf({ call, withArguments, mark: randomHex(12, random), form }),
    async put(prompt, withArguments, signal) {
      const shown = provider.render(prompt);
      const answered = await unlessAborted(signal, provider.ask(prompt, signal));
      const pass: Pass = {
        arguments: withArguments,
        shown,
        shown_sha256: sha256(shown),
        answer: answered.ok ? answerText(answered.value) : null,
      };
      if (!answered.ok) return { pass, read: answered };
      const read = readAnswer(answered.value, form, threshold);
      if (read.ok) return { pass, read };
      const detail = `The model's answer does not count: ${read.failure}.`;
      return { pass, read: fail({ cause: "malformed", detail }) };
    },
  };
}
