import { z } from "zod";
import { fail, ok, type Result } from "../../domain/errors.ts";
import { ANSWER_JSON_SCHEMA } from "./answer.ts";
import { askByHttp } from "./http-question.ts";
import type { AnswerForm } from "./prompt.ts";
import { MAX_ANSWER_TOKENS, type Prompt, type Provider, type ProviderFailure } from "./provider.ts";

export interface ChatCompletionsParams {
  /** Only names the provider in records. */
  readonly kind: "openai" | "ollama";
  /** Up to and with `/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** null for a server that asks for none. */
  readonly apiKey: string | null;
  readonly form: AnswerForm;
}

/** The part of an answer that is read (OpenAI API reference, "The chat completion object"); the rest is the server's. */
const completionSchema = z.object({
  model: z.string().optional(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string(), refusal: z.string().nullish() }),
      }),
    )
    .length(1),
});

/** Any server that speaks `POST /v1/chat/completions`: OpenAI, Ollama, vLLM and others. */
export function createChatCompletions(params: ChatCompletionsParams): Provider {
  const { kind, model, apiKey, form } = params;
  const url = `${params.baseUrl.replace(/\/+$/u, "")}/chat/completions`;
  const headers: Record<string, string> = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
  // OpenAI's newer models refuse the old name, most other servers do not know the new one.
  const limit = new URL(url).hostname === "api.openai.com" ? "max_completion_tokens" : "max_tokens";
  return {
    id: `${kind}:${model}`,
    render: (prompt) => JSON.stringify(messagesOf(prompt)),
    async ask(prompt, signal) {
      const body = {
        model,
        messages: messagesOf(prompt),
        temperature: 0,
        [limit]: MAX_ANSWER_TOKENS,
        stream: false,
        ...(form === "json" && {
          response_format: {
            type: "json_schema",
            json_schema: { name: "risk_assessment", strict: true, schema: ANSWER_JSON_SCHEMA },
          },
        }),
      };
      const answered = await askByHttp({ url, headers, body }, signal);
      return answered.ok ? contentOf(answered.value, model) : answered;
    },
  };
}

function messagesOf({ instruction, data }: Prompt) {
  return [
    { role: "system", content: instruction },
    { role: "user", content: data },
  ];
}

function contentOf(value: unknown, asked: string): Result<string, ProviderFailure> {
  const completion = completionSchema.safeParse(value);
  const choice = completion.data?.choices[0];
  if (!completion.success || choice === undefined)
    return fail({ cause: "malformed", detail: "The server's answer is not one chat completion." });
  if (!isModel(completion.data.model, asked))
    return fail({ cause: "misconfigured", detail: "Another model answered than the one that was asked." });
  if (choice.message.refusal !== null && choice.message.refusal !== undefined)
    return fail({ cause: "refused", detail: "The model refused to answer." });
  const { finish_reason: end } = choice;
  if (end !== undefined && end !== null && end !== "stop")
    return fail({ cause: "malformed", detail: "The model's answer was cut off." });
  return ok(choice.message.content);
}

/** Servers answer with a dated or tagged name of the same model, e.g. `gpt-4.1-mini-2025-04-14` for `gpt-4.1-mini`. */
function isModel(answered: string | undefined, asked: string): boolean {
  if (answered === undefined) return true;
  const core = (name: string) =>
    name
      .split("/")
      .at(-1)
      ?.replace(/:latest$/u, "") ?? "";
  return core(answered).startsWith(core(asked));
}
