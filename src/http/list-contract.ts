import { z } from "zod";
import { CASE_STATES } from "../domain/case.ts";
import { CASE_ORDERS } from "../domain/case-order.ts";
import { ID_PATTERN } from "../domain/ids.ts";
import { REASONS } from "../domain/reasons.ts";

/** Queries of lists and what pages them; part of the contract of `contract.ts`. */

export const MAX_LISTED = 500;

const limit = z.coerce
  .number("must be a whole number")
  .int("must be a whole number")
  .min(1, "must be at least 1")
  .max(MAX_LISTED, `must be at most ${MAX_LISTED}`)
  .default(100);

/** `next` of an earlier answer to the same question; what it holds is the gateway's business. */
const after = z.string().max(200, "must be the `next` of an earlier answer").optional();

const stateNames = z.enum(
  CASE_STATES,
  `must be one or more of ${CASE_STATES.join(", ")}, with commas between them`,
);
const name = z.string().min(1, "must not be empty").max(200, "must have at most 200 characters").optional();
const time = z.iso.datetime("must be a time in ISO 8601 and UTC, 2026-11-21T12:00:00Z").optional();
const id = z.string().regex(ID_PATTERN, "must be an id").optional();

export const caseQuerySchema = z.strictObject({
  state: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(stateNames))
    .optional(),
  agent: id,
  upstream: name,
  /** Name at the upstream. */
  tool: name,
  rule: name,
  reason_id: z.enum(Object.keys(REASONS), "must be the id of a reason").optional(),
  min_score: z.coerce
    .number("must be a whole number")
    .int("must be a whole number")
    .min(0, "must be at least 0")
    .max(100, "must be at most 100")
    .optional(),
  opened_after: time,
  opened_before: time,
  /** Whoever works on it now. */
  taken_by: id,
  /** Part of the name of the agent, upstream or tool. */
  search: name,
  /** A reference, or its first characters. */
  ref: z
    .string()
    .regex(/^evt_[a-z2-7]{0,32}$/, "must be a reference or its beginning, evt_…")
    .optional(),
  /** Only cases that a human was asked about. */
  reviewed: z
    .enum(["true", "false"], "must be true or false")
    .transform((text) => text === "true")
    .optional(),
  order: z.enum(CASE_ORDERS, `must be ${CASE_ORDERS.join(" or ")}`).default("newest"),
  after,
  limit,
});
export type CaseQuery = z.infer<typeof caseQuerySchema>;

export const timelineQuerySchema = z.strictObject({ after, limit });

export const timelineSchema = z.object({
  /** Oldest first. */
  events: z.array(
    z.object({
      /** The gateway process that wrote it, and its place in that writer's chain. */
      writer: z.string(),
      sequence: z.int(),
      hash: z.string(),
      at: z.iso.datetime(),
      type: z.string(),
      actor: z.object({ kind: z.string(), id: z.string() }),
      from: z.string().nullable(),
      to: z.string().nullable(),
      reason_id: z.string().nullable(),
    }),
  ),
  next: z.string().nullable(),
});
export type TimelineBody = z.infer<typeof timelineSchema>;
