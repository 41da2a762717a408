import { z } from "zod";

/** What the gateway says of a case, in `_meta` of its answers and in the list that `check_status` gives. */
const caseSchema = z.object({ ref: z.string(), state: z.string(), tool: z.string().optional() });
const answerSchema = z.object({
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).optional(),
  structuredContent: z
    .object({ cases: z.array(caseSchema) })
    .optional()
    .catch(undefined),
  _meta: z.object({ "atlas-gateway/case": caseSchema }).optional().catch(undefined),
});

export type CaseNote = z.infer<typeof caseSchema>;

/** States in which a call goes on without the agent. UNKNOWN is not one: there is nothing to wait for, only to tell. */
const OPEN = new Set(["ASSESSING", "AWAITING_REVIEW", "AUTHORIZED", "EXECUTING"]);

export function isOpen({ state }: CaseNote): boolean {
  return OPEN.has(state);
}

/** What the gateway says of the case behind an answer of a tool; null when the tool itself answered. */
export function caseOf(answer: unknown): CaseNote | null {
  return answerSchema.safeParse(answer).data?._meta?.["atlas-gateway/case"] ?? null;
}

/** The cases that `check_status` lists when it is given no reference. */
export function listedCases(answer: unknown): readonly CaseNote[] {
  return answerSchema.safeParse(answer).data?.structuredContent?.cases ?? [];
}

export function wordsOf(answer: unknown): string {
  const blocks = answerSchema.safeParse(answer).data?.content ?? [];
  return blocks.map((block) => block.text ?? `(${block.type})`).join("\n");
}
