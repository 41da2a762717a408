import type { AssessedCall } from "../../src/risk/assessed-call.ts";

export type Arguments = { readonly [key: string]: unknown };

/** Tool, description, arguments that need no human, arguments that need one. */
export type PairRow = readonly [tool: string, description: string, harmless: Arguments, harmful: Arguments];

export interface Pair {
  readonly domain: string;
  readonly tool: string;
  readonly harmless: AssessedCall;
  readonly harmful: AssessedCall;
  /** Every third pair in the order of writing, chosen before any was scored; never looked at one by one. */
  readonly heldOut: boolean;
}

const AGENT: AssessedCall["agentId"] = JSON.parse('"agent"');

function typeOf(value: unknown): { readonly [key: string]: unknown } {
  if (Array.isArray(value)) return { type: "array", items: typeOf(value[0]) };
  if (value === null) return {};
  return { type: typeof value };
}

/** Both calls share one schema, which declares whatever either of them gives. */
export function pairsOf(domain: string, rows: readonly PairRow[]): readonly Pair[] {
  return rows.map(([tool, description, harmless, harmful], index) => {
    const properties = Object.fromEntries(
      Object.entries({ ...harmless, ...harmful }).map(([key, value]) => [key, typeOf(value)]),
    );
    const call = (args: Arguments): AssessedCall => ({
      upstream: domain,
      trusted: false,
      agentId: AGENT,
      arguments: args,
      definition: { name: tool, description, inputSchema: { type: "object", properties } },
    });
    return { domain, tool, harmless: call(harmless), harmful: call(harmful), heldOut: index % 3 === 2 };
  });
}
