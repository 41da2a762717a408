import { isObject } from "./raw-transport.ts";

/**
 * `Mcp-Param-*` headers that servers of protocol 2026-07-28 demand for schema properties marked
 * `x-mcp-header`. The values are copies of arguments, so they go to that upstream only.
 */
export function mcpParamHeaders(inputSchema: unknown, args: unknown): Record<string, string> {
  const headers: Record<string, string> = {};
  collect(inputSchema, args, headers);
  return headers;
}

function collect(schema: unknown, value: unknown, headers: Record<string, string>): void {
  if (!isObject(schema)) return;
  const header = schema["x-mcp-header"];
  if (typeof header === "string" && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header)) {
    const text = primitiveText(value);
    if (text !== null) headers[`Mcp-Param-${header}`] = encodeHeader(text);
  }
  const { properties } = schema;
  if (!isObject(properties) || !isObject(value)) return;
  for (const [key, child] of Object.entries(properties)) {
    if (Object.hasOwn(value, key)) collect(child, value[key], headers);
  }
}

function primitiveText(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? null : String(value);
}

/** Plain where a header may hold it, else the base64 form of the specification. */
function encodeHeader(text: string): string {
  const plain = /^[\t\x20-\x7e]+$/.test(text) && text === text.trim() && !/^=\?base64\?.*\?=$/.test(text);
  return plain ? text : `=?base64?${Buffer.from(text, "utf8").toString("base64")}?=`;
}
