import type { CatalogTool } from "../../domain/tool.ts";
import { OWN_TOOLS } from "./own-tools.ts";
import { admitPending } from "./pending-schema.ts";

/** Tools as an agent sees them: the gateway's own first, then each upstream's as it defined them, under its exposed name. */
export function advertisedTools(tools: readonly CatalogTool[]): readonly object[] {
  return [...OWN_TOOLS, ...tools.map(advertise)];
}

function advertise(tool: CatalogTool): object {
  const { outputSchema, ...definition } = tool.definition;
  const advertised = { ...definition, name: tool.exposedName };
  return outputSchema === undefined
    ? advertised
    : { ...advertised, outputSchema: admitPending(outputSchema) };
}
