import { Hono } from "hono";
import type { Config } from "../../config/config.ts";
import type { ResourceMetadataBody } from "../contract.ts";
import { refuse } from "../error-response.ts";

/**
 * `/.well-known/oauth-protected-resource` (RFC 9728): where an agent's client gets a token. Nothing is there without an issuer.
 *
 * @param config as it is in force now
 */
export function resourceMetadata(config: Pick<Config, "publicUrl" | "agents">): Hono {
  const routes = new Hono();
  for (const path of ["", "/mcp"]) {
    routes.get(`/.well-known/oauth-protected-resource${path}`, (c) => {
      const metadata = metadataOf(config);
      if (metadata !== null) return c.json(metadata);
      const message = "Agents have keys here; there is no authorization server.";
      return refuse(c, { code: "resource.not_found", message });
    });
  }
  return routes;
}

function metadataOf({
  publicUrl,
  agents: { issuers },
}: Pick<Config, "publicUrl" | "agents">): ResourceMetadataBody | null {
  if (publicUrl === null || issuers.length === 0) return null;
  const scopes = [...new Set(issuers.flatMap((issuer) => issuer.requiredScopes))];
  return {
    resource: `${publicUrl}/mcp`,
    authorization_servers: issuers.map((issuer) => issuer.issuer),
    bearer_methods_supported: ["header"],
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    resource_name: "ATLAS Governance Gateway",
  };
}
