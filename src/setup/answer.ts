import { AtlasError } from "../domain/errors.ts";
import { type AnswerName, type Answers, QUESTIONS, type Question } from "./questions.ts";

/** Asks a person, or whatever is on standard input. */
export interface Asker {
  /**
   * One answer; the fallback where nothing is said.
   *
   * @param known there is a value already, which an empty answer keeps
   * @throws AtlasError `config.invalid` when the person gives up, or what is piped in cannot be taken
   */
  ask(question: Question, params: AskParams): Promise<string>;
  close(): void;
}

export interface AskParams {
  readonly fallback: string;
  /** The fallback is kept, not a proposal: it is not shown when it is a secret. */
  readonly known: boolean;
  readonly check: (value: string) => string | undefined;
}

export interface Sources {
  readonly flags: Partial<Answers>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `.env` says. */
  readonly kept: Readonly<Record<string, string>>;
  /** What `atlas.yaml` says already, so that it is not asked for again from scratch. */
  readonly configured: Partial<Answers>;
  /** null: nothing is asked. */
  readonly asker: Asker | null;
}

export interface Answered {
  readonly answers: Partial<Answers>;
  /** Said now, by a flag or to a question: these replace what was there. */
  readonly explicit: ReadonlySet<AnswerName>;
}

/**
 * Answers every question that matters: by its flag, else its environment variable, else by asking, else by what is kept,
 * else by its default.
 *
 * @throws AtlasError `config.invalid` with a sentence that says what is wrong with an answer and what to do
 */
export async function answerAll(sources: Sources): Promise<Answered> {
  const answers: Partial<Record<AnswerName, string>> = {};
  const explicit = new Set<AnswerName>();
  for (const question of QUESTIONS) {
    if (question.when !== undefined && !question.when(answers)) continue;
    const { value, said } = await answerOne(question, answers, sources);
    answers[question.name] = value;
    if (said) explicit.add(question.name);
  }
  return { answers, explicit };
}

async function answerOne(question: Question, earlier: Partial<Answers>, sources: Sources) {
  const { name, variable } = question;
  const check = (value: string) => question.check(value, earlier);
  const flag = sources.flags[name];
  if (flag !== undefined) return { value: taken(flag, check, optionOf(question)), said: true };
  const inEnvironment = given(sources.environment[variable]);
  if (inEnvironment !== undefined) {
    return { value: taken(listed(question, inEnvironment), check, variable), said: false };
  }
  const known = given(sources.kept[variable]) ?? sources.configured[name];
  const fallback = known ?? inferred(question, sources.flags) ?? question.fallback(earlier);
  if (sources.asker === null) {
    return { value: taken(fallback, check, `${variable} (or ${optionOf(question)})`), said: false };
  }
  const value = await sources.asker.ask(question, { fallback, known: known !== undefined, check });
  return { value, said: value !== fallback };
}

/** A flag that only one judge has says which judge is meant. */
function inferred(question: Question, flags: Partial<Answers>): string | undefined {
  if (question.name !== "judge") return undefined;
  if (flags.modalFunction !== undefined || flags.modalTokenId !== undefined) return "modal";
  return flags.openaiKey === undefined ? undefined : "openai";
}

function taken(value: string, check: (value: string) => string | undefined, where: string): string {
  const problem = check(value);
  if (problem === undefined) return value;
  throw new AtlasError("config.invalid", `${where}: ${problem}`);
}

/** In one variable, entries stand on lines of their own or between semicolons. */
function listed(question: Question, value: string): string {
  return question.many === true ? value.replaceAll(/\s*;\s*/gu, "\n") : value;
}

function given(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function optionOf({ flag }: Question): string {
  return flag.split(" ", 1)[0] ?? flag;
}
