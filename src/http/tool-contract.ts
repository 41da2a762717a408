import { z } from "zod";
import { DATA_CATEGORIES, TOOL_CLASSES } from "../domain/manifest.ts";
import { TOOL_STATES } from "../governance/tool-report.ts";
import { definitionDiffSchema, manifestSchema, sha256Schema, timeSchema } from "./contract.ts";

export const toolSchema = z.object({
  upstream: z.string(),
  /** At the upstream, as it is: may hold anything. */
  name: z.string(),
  exposed_name: z.string().nullable(),
  /** `quarantined`: held for its name until an admin accepts it by that name. */
  state: z.enum(TOOL_STATES),
  /** An admin has said what the definition does that the tool has now. */
  confirmed: z.boolean(),
  /** It is left out when all are accepted at once. */
  must_be_named: z.boolean(),
  /** null: its upstream does not list it any more. */
  pin: sha256Schema.nullable(),
  accepted_pin: sha256Schema.nullable(),
  /** Why it is held for more than being new. */
  reason_id: z.string().nullable(),
  /** What to look at: ids, each with another tool or a JSON pointer into the definition. */
  flags: z.array(z.object({ id: z.string(), about: z.string().nullable() })),
  /** What the assessor makes of the definition as it is now. */
  proposed: manifestSchema.nullable(),
  /** What accepting it confirms unless something else is said. */
  suggested: manifestSchema.nullable(),
  /** What an admin confirmed of the accepted definition. */
  manifest: manifestSchema.nullable(),
  /** null: nobody said so of the accepted definition, and the configuration counts. */
  safe_to_repeat: z.boolean().nullable(),
  /** null: from the machine's own command line, or nobody. */
  accepted_by: z.string().nullable(),
  accepted_at: timeSchema.nullable(),
  first_seen_at: timeSchema,
  changed_at: timeSchema,
});
export type ToolBody = z.infer<typeof toolSchema>;

export const toolListSchema = z.object({ tools: z.array(toolSchema) });
export type ToolListBody = z.infer<typeof toolListSchema>;

export const toolDetailSchema = z.object({
  tool: toolSchema,
  /** The definitions as JSON text, as the upstream sent them. */
  accepted_definition: z.string().nullable(),
  current_definition: z.string().nullable(),
  /** From the accepted definition to the current one. */
  diff: definitionDiffSchema,
});
export type ToolDetailBody = z.infer<typeof toolDetailSchema>;

export const acceptToolRequestSchema = z.strictObject({
  /** The definition that was shown. */
  pin: sha256Schema,
  class: z.enum(TOOL_CLASSES, `must be one of ${TOOL_CLASSES.join(", ")}`).optional(),
  reversible: z.boolean("must be true or false").optional(),
  data: z.array(z.enum(DATA_CATEGORIES, `must be of ${DATA_CATEGORIES.join(", ")}`)).optional(),
  /** Absent leaves what was said of this definition before. */
  safe_to_repeat: z.boolean("must be true or false").optional(),
});

export const toolResponseSchema = z.object({ tool: toolSchema });
export type ToolResponse = z.infer<typeof toolResponseSchema>;

/** Data of a `tool` event of the live stream: what changed, the reader fetches. */
export const toolEventSchema = z.object({ upstream: z.string(), name: z.string() });
export type ToolEvent = z.infer<typeof toolEventSchema>;
