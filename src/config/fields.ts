import { z } from "zod";
import { DURATION_FORMS, DURATION_PATTERN, parseDuration } from "./duration.ts";
import { parseSize, SIZE_FORMS, SIZE_PATTERN } from "./size.ts";

export const text = z.string();
export const filled = z.string().min(1, "it is empty; write a value or leave the key out");

export function duration(bounds: { readonly minMs: number; readonly maxMs: number; readonly says: string }) {
  return z
    .string()
    .regex(DURATION_PATTERN, { error: `this is no duration; ${DURATION_FORMS}`, abort: true })
    .refine((value) => {
      const ms = parseDuration(value) ?? -1;
      return ms >= bounds.minMs && ms <= bounds.maxMs;
    }, `the duration is out of range; use ${bounds.says}`);
}

export function size(bounds: { readonly min: number; readonly max: number; readonly says: string }) {
  return z
    .string()
    .regex(SIZE_PATTERN, { error: `this is no size; ${SIZE_FORMS}`, abort: true })
    .refine((value) => {
      const bytes = parseSize(value) ?? -1;
      return bytes >= bounds.min && bytes <= bounds.max;
    }, `the size is out of range; use ${bounds.says}`);
}

export const httpUrl = z.string().superRefine((value, context) => {
  const problem = urlProblem(value);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

function urlProblem(value: string): string | undefined {
  if (!URL.canParse(value)) return "this is no absolute URL; write one such as https://tools.example.org/mcp";
  const url = new URL(value);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return "the URL is neither http nor https; use https://";
  if (url.username !== "" || url.password !== "")
    return "the URL holds credentials; put them into headers as ${VARIABLE}";
  return undefined;
}
