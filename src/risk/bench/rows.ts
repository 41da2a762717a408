import { z } from "zod";
import type { AssessedCall } from "../assessed-call.ts";

const object = z.record(z.string(), z.unknown());

const rowSchema = z.looseObject({
  source: z.string().default("unnamed"),
  server: z.string().default(""),
  tool: z.string(),
  description: z.string().nullish(),
  arguments: object.nullish(),
  inputSchema: object.nullish(),
  annotations: object.nullish(),
  trusted: z.boolean().optional(),
  label: z.enum(["escalate", "approve"]),
  code: z.string().nullish(),
  borderline: z.boolean().nullish(),
});

/** One labelled call of a data file. */
export interface LabelledCall {
  readonly source: string;
  /** Family of the impact, e.g. `E1` money; `A` harmless. */
  readonly code: string;
  readonly borderline: boolean;
  readonly harmful: boolean;
  readonly call: AssessedCall;
}

const AGENT: AssessedCall["agentId"] = z.custom<AssessedCall["agentId"]>().parse("bench");

/**
 * Reads JSON lines. A row that brings no schema is read as if its arguments were declared with their own types: the
 * data left the schema out, the call did not make its arguments up.
 */
export function parseRows(text: string): readonly LabelledCall[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    try {
      return [labelledCall(rowSchema.parse(JSON.parse(line)))];
    } catch (cause) {
      throw new Error(`Line ${index + 1} is no labelled call: it needs at least tool and label.`, { cause });
    }
  });
}

function labelledCall(row: z.infer<typeof rowSchema>): LabelledCall {
  const call = callOfRow({
    tool: row.tool,
    arguments: row.arguments ?? {},
    description: row.description ?? "",
  });
  return {
    source: row.source,
    code: row.code ?? (row.label === "escalate" ? "E" : "A"),
    borderline: row.borderline === true,
    harmful: row.label === "escalate",
    call: {
      ...call,
      upstream: row.server,
      trusted: row.trusted === true,
      definition: {
        ...call.definition,
        ...(row.inputSchema && { inputSchema: row.inputSchema }),
        ...(row.annotations && { annotations: row.annotations }),
      },
    },
  };
}

export interface CallRow {
  readonly tool: string;
  readonly description: string;
  readonly arguments: { readonly [key: string]: unknown };
  /** Texts that the schema declares beside the arguments given. */
  readonly alsoDeclared?: readonly string[];
}

/** A call whose schema declares what it gives, with the types of the values. */
export function callOfRow({ tool, description, arguments: args, alsoDeclared = [] }: CallRow): AssessedCall {
  const properties = Object.fromEntries([
    ...alsoDeclared.map((key) => [key, { type: "string" }] as const),
    ...Object.entries(args).map(
      ([key, value]) => [key, { type: Array.isArray(value) ? "array" : typeof value }] as const,
    ),
  ]);
  return {
    upstream: "",
    trusted: false,
    agentId: AGENT,
    arguments: args,
    definition: { name: tool, description, inputSchema: { type: "object", properties } },
  };
}
