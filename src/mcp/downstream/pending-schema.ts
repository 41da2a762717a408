import type { ToolDefinition } from "../../domain/tool.ts";

/** Structured content of a pending answer; the widened schema admits exactly this beside the tool's own. */
export const PENDING_KEY = "atlas_review";

/**
 * Widens an output schema to admit the pending answer. Clients check structured content against the
 * advertised schema and throw when there is none, so a pending answer of such a tool must fit it.
 */
export function admitPending(outputSchema: NonNullable<ToolDefinition["outputSchema"]>): object {
  const { $schema, ...own } = outputSchema;
  return {
    ...($schema !== undefined && { $schema }),
    type: "object",
    anyOf: [
      rebase(own),
      {
        type: "object",
        title: "Pending review",
        properties: {
          [PENDING_KEY]: {
            type: "object",
            properties: { ref: { type: "string" }, state: { type: "string" } },
            required: ["ref", "state"],
          },
        },
        required: [PENDING_KEY],
      },
    ],
  };
}

/** The schema now stands one level deeper, so references from its root must say so. */
function rebase(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(rebase);
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      const isLocal = key === "$ref" && typeof value === "string" && /^#(\/|$)/.test(value);
      return [key, isLocal ? `#/anyOf/0${value.slice(1)}` : rebase(value)];
    }),
  );
}
