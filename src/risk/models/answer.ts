import { z } from "zod";
import { CLASSIFICATIONS, classificationOf } from "../../domain/assessment.ts";
import { fail, ok, type Result } from "../../domain/errors.ts";
import { readStrictJson } from "../../domain/strict-json.ts";
import type { AnswerForm } from "./prompt.ts";

/** What a model said, once it is certain what it said. */
export interface ReadAnswer {
  /** Whole number 0–100. */
  readonly score: number;
  /** The model's own words: untrusted, without control characters, at most {@link MAX_RATIONALE_CHARS}. */
  readonly rationale: string;
}

const MAX_RATIONALE_CHARS = 600;

/** The answer's schema. `classification` and `action` are not asked for; a model trained to give them must not contradict itself. */
const answerSchema = z.strictObject({
  risk_score: z.int().min(0).max(100),
  classification: z.enum(CLASSIFICATIONS).optional(),
  action: z.enum(["AUTO_APPROVE", "PAUSE"]).optional(),
  rationale: z.string(),
});

/** JSON Schema of the answer, for servers that can hold a model to one. */
export const ANSWER_JSON_SCHEMA = {
  type: "object",
  properties: {
    risk_score: { type: "integer", minimum: 0, maximum: 100 },
    rationale: { type: "string" },
  },
  required: ["risk_score", "rationale"],
  additionalProperties: false,
} as const;

/**
 * Reads one answer, strictly. Whatever could be read in two ways is no answer.
 *
 * @param threshold score from which a call pauses; an answer whose action contradicts its score is refused
 * @returns the problem in our own words, never words of the answer
 */
export function readAnswer(raw: unknown, form: AnswerForm, threshold: number): Result<ReadAnswer, string> {
  if (form === "text" && typeof raw === "string") return readText(raw);
  const object = typeof raw === "string" ? parse(raw) : ok(raw);
  if (!object.ok) return object;
  const answer = answerSchema.safeParse(object.value);
  if (!answer.success)
    return fail("it is not one object with a whole risk_score from 0 to 100 and a rationale");
  const { risk_score: score, classification, action, rationale } = answer.data;
  if (classification !== undefined && classification !== classificationOf(score))
    return fail("its classification contradicts its score");
  if (action !== undefined && (action === "PAUSE") !== score >= threshold)
    return fail("its action contradicts its score");
  return ok({ score, rationale: plain(rationale) });
}

/** By the strict reader, so that an object with two `risk_score`s is refused rather than read as its last. */
function parse(text: string): Result<unknown, string> {
  const read = readStrictJson(text.trim());
  return read.ok ? ok(read.value.value) : fail("it is not one JSON object");
}

/** The one place of the score: the beginning of the answer, alone on its line. */
const SCORE_LINE = /^\s*risk[ _]score:[ \t]*(\d{1,3})(?:[ \t]*\/[ \t]*100)?[ \t]*\.?[ \t]*(?:\r?\n|$)/iu;
/** Whatever else could be meant as a score. */
const CANDIDATE = /(?:score|risk|rating|level)[^\n\d]{0,30}-?\d|\d\s*(?:\/\s*100|%|out of)/iu;

function readText(text: string): Result<ReadAnswer, string> {
  const line = SCORE_LINE.exec(text);
  if (line === null) return fail("it does not begin with the line that gives the score");
  const score = Number(line[1]);
  const rest = text.slice(line[0].length);
  if (score > 100) return fail("its score is above 100");
  return CANDIDATE.test(rest.normalize("NFKC"))
    ? fail("it gives two candidate scores")
    : ok({ score, rationale: plain(rest) });
}

function plain(text: string): string {
  return text
    .replaceAll(/[\p{C}\p{Z}]+/gu, " ")
    .trim()
    .slice(0, MAX_RATIONALE_CHARS);
}

/** An answer as text, for the record. */
export function answerText(raw: unknown): string {
  if (typeof raw === "string") return raw;
  try {
    return JSON.stringify(raw) ?? typeof raw;
  } catch {
    // A decoded value that JSON has no form for, such as a bigint; it is no answer either.
    return typeof raw;
  }
}
