import { createInterface } from "node:readline";
import { isCancel, password, select, text } from "@clack/prompts";
import { AtlasError } from "../../domain/errors.ts";
import type { Asker, AskParams } from "../../setup/answer.ts";
import type { Question } from "../../setup/questions.ts";

/** A person at a terminal, else lines on standard input; where they end, the rest is left at its defaults. */
export function createAsker(): Asker {
  return process.stdin.isTTY && process.stdout.isTTY ? askTerminal() : askLines(process.stdin);
}

function askTerminal(): Asker {
  return {
    async ask(question, params) {
      if (question.many !== true) return askOnce(question, params);
      const entries: string[] = [];
      for (;;) {
        const entry = await askOnce(question, { ...params, fallback: "" });
        if (entry === "") return entries.length > 0 ? entries.join("\n") : params.fallback;
        entries.push(entry);
      }
    },
    close: () => undefined,
  };
}

async function askOnce(question: Question, { fallback, known, check }: AskParams): Promise<string> {
  const message = question.prompt;
  const validate = (value: string | undefined) => {
    const given = value === undefined || value === "" ? fallback : value;
    return check(given);
  };
  const answer = await prompted(question, {
    message: known ? `${message}, empty keeps it` : message,
    fallback,
    validate,
  });
  if (isCancel(answer) || typeof answer === "symbol")
    throw new AtlasError("config.invalid", "Interrupted. Nothing was changed.");
  return answer === "" ? fallback : answer;
}

function prompted(
  question: Question,
  {
    message,
    fallback,
    validate,
  }: { message: string; fallback: string; validate: (value?: string) => string | undefined },
): Promise<string | symbol> {
  if (question.choices !== undefined) {
    const options = question.choices.map((value) => ({ value, label: value }));
    return select<string>({ message, options, initialValue: fallback });
  }
  if (question.secret === true) return password({ message, validate });
  return text({ message, placeholder: fallback, defaultValue: fallback, validate });
}

/** Reads one answer a line. A wrong one ends it: nobody is there to try again. */
function askLines(input: NodeJS.ReadableStream): Asker {
  const lines = createInterface({ input, terminal: false })[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    return line.done === true ? "" : line.value.trim();
  };
  return {
    async ask(question, params) {
      const first = await said(question, params, next);
      if (question.many !== true || first === params.fallback) return first;
      const entries = [first];
      for (;;) {
        const entry = await said(question, { ...params, fallback: "" }, next);
        if (entry === "") return entries.join("\n");
        entries.push(entry);
      }
    },
    close: () => void lines.return?.(),
  };
}

async function said(
  question: Question,
  { fallback, known, check }: AskParams,
  next: () => Promise<string>,
): Promise<string> {
  process.stdout.write(`${question.prompt}${shown(question, fallback, known)}: `);
  const line = await next();
  process.stdout.write("\n");
  const value = line === "" ? fallback : line;
  const problem = check(value);
  if (problem !== undefined) throw new AtlasError("config.invalid", `${problem} Nothing was changed.`);
  return value;
}

function shown({ secret, choices }: Question, fallback: string, known: boolean): string {
  const list = choices === undefined ? "" : ` (${choices.join(", ")})`;
  if (secret === true) return known ? `${list} [kept]` : list;
  return fallback === "" ? list : `${list} [${fallback}]`;
}
