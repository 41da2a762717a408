import { CLIENT_CAPABILITIES_META_KEY, type ServerContext } from "@modelcontextprotocol/server";
import type { LiveClient } from "../../governance/live-client.ts";

const INTERNAL_ERROR = -32603;

/** The client of one call of protocol 2026-07-28: asked by the call's result, which it sends again with the answer. */
export function retryingClient(ctx: ServerContext): LiveClient {
  const envelope: { readonly [key: string]: unknown } = { ...ctx.mcpReq.envelope };
  const declared = envelope[CLIENT_CAPABILITIES_META_KEY];
  return clientAskedByResult(typeof declared === "object" && declared !== null ? { ...declared } : {});
}

export function clientAskedByResult(capabilities: LiveClient["capabilities"]): LiveClient {
  return {
    session: null,
    asked: "by_result",
    capabilities,
    ask: async () => ({
      kind: "error",
      error: { code: INTERNAL_ERROR, message: "The client of this call is asked by the result of the call." },
    }),
    tell: () => undefined,
  };
}
