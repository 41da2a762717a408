import { isDeepStrictEqual } from "node:util";
import type { Config, ModelConfig } from "./config/config.ts";
import type { Clock } from "./domain/clock.ts";
import type { RandomBytes } from "./domain/ids.ts";
import type { Judging } from "./governance/rule-call.ts";
import { createChatCompletions } from "./risk/models/chat-completions.ts";
import { createModelJudge } from "./risk/models/judge.ts";
import { createModalFunction } from "./risk/models/modal-function.ts";
import { createModalWeb } from "./risk/models/modal-web.ts";
import type { Provider } from "./risk/models/provider.ts";
import type { Log } from "./telemetry/log.ts";

type Risk = Pick<Config["risk"], "model" | "threshold">;

interface JudgesDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
}

/** The model of the configuration in force. */
export interface Judges {
  /** undefined: the embedded assessor alone. */
  current(): Judging | undefined;
  /**
   * Takes another configuration's model; questions that the earlier one was asked go on.
   *
   * @throws AtlasError `config.invalid` when the model cannot be used; the earlier one stays
   */
  follow(risk: Risk): Promise<void>;
  /** Wakes the first model; later ones are woken when they are taken. */
  warm(): void;
  /** Breaks off every question; cases that wait for an answer stay for the next start. */
  close(): void;
}

/** @throws AtlasError `config.invalid` when the model cannot be used */
export async function openJudges(first: Risk, deps: JudgesDeps): Promise<Judges> {
  const opened: Judging[] = [];
  let inForce: Risk = { model: null, threshold: first.threshold };
  let current: Judging | undefined;

  async function follow({ model, threshold }: Risk): Promise<void> {
    const next = { model, threshold };
    if (isDeepStrictEqual(inForce, next)) return;
    current = model === null ? undefined : await openJudge(model, threshold, deps);
    inForce = next;
    if (current !== undefined) opened.push(current);
  }

  const wake = () => {
    if (current !== undefined) void warm(current, deps.log);
  };
  await follow(first);
  return {
    current: () => current,
    async follow(risk) {
      const before = current;
      await follow(risk);
      if (current !== before) wake();
    },
    warm: wake,
    close() {
      for (const { judge } of opened) judge.close();
    },
  };
}

/** @throws AtlasError `config.invalid` when the model cannot be used */
export async function openJudge(
  model: ModelConfig,
  threshold: number,
  deps: Pick<JudgesDeps, "clock" | "random">,
): Promise<Judging> {
  const provider = await openProvider(model);
  const { form, perMinute, deadlineMs } = model;
  return { judge: createModelJudge({ provider, form, threshold, perMinute, ...deps }), deadlineMs };
}

async function openProvider(model: ModelConfig): Promise<Provider> {
  switch (model.kind) {
    case "modal":
      return createModalFunction(model);
    case "modal-web":
      return createModalWeb(model);
    case "openai":
    case "ollama":
      return createChatCompletions({ ...model, kind: model.kind });
    default:
      return model satisfies never;
  }
}

async function warm({ judge }: Judging, log: Log): Promise<void> {
  const problem = await judge.warm();
  if (problem === null) log.info({ judge: judge.id }, "The model answers, and its canary question right.");
  else log.warn({ judge: judge.id, problem }, "The model is not trusted; calls that need it go to a human.");
}
