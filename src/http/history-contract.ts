import { z } from "zod";
import { caseSchema } from "./contract.ts";

/** What people decided before; part of the contract of `contract.ts`. */

const countsSchema = z.object({ approved: z.int(), rejected: z.int() });

export const historySchema = z.object({
  /** Decisions on this tool, whoever called it; those that were taken back are not counted, and the case itself is not. */
  tool: countsSchema,
  /** Decisions on this agent, whatever it called. */
  agent: countsSchema,
  /** The newest decided cases of this tool or agent, newest first. */
  recent: z.array(caseSchema),
  /** The last call of this tool that a person approved; null when nobody ever did. */
  last_approved: z
    .object({
      case: caseSchema,
      /** As they were approved; null when they were erased. */
      arguments: z.string().nullable(),
      /** The tool had the same definition then. */
      same_definition: z.boolean(),
    })
    .nullable(),
});
export type HistoryBody = z.infer<typeof historySchema>;
