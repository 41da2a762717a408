import type { Sha256Hex } from "./ids.ts";

/** What a tool says of itself in MCP; hints from a server are claims, not facts. */
export interface ToolAnnotations {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** A tool definition as an upstream sent it; unknown members are kept because the pin covers them. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: { readonly [key: string]: unknown };
  readonly outputSchema?: { readonly [key: string]: unknown };
  readonly annotations?: ToolAnnotations & { readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** A tool in the catalog: one definition of one upstream, under the name agents see. */
export interface CatalogTool {
  /** Upstream's name in the configuration. */
  readonly upstream: string;
  /** Hash of the upstream's endpoint or command line. */
  readonly upstreamFingerprint: Sha256Hex;
  /** Name at the upstream. */
  readonly name: string;
  /** Name agents call, prefix included. */
  readonly exposedName: string;
  readonly definition: ToolDefinition;
  /** SHA-256 of the definition as it is now. */
  readonly pin: Sha256Hex;
  /** The operator said that running this tool twice does no harm. */
  readonly safeToRepeat: boolean;
}
