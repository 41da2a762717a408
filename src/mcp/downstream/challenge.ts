import { ERRORS } from "../../domain/errors.ts";
import type { RefusedCredential } from "../../domain/principal.ts";

/** What a refused client is told of how to get in. */
export interface Challenge {
  /** Where RFC 9728 metadata are; null when no issuer is configured, so that no client looks for one. */
  readonly resourceMetadataUrl: string | null;
  /** Scopes to ask the issuer for, as RFC 6749 writes them; empty when it needs none. */
  readonly scope: string;
}

/** Headers of a refusal (RFC 6750, RFC 9728). */
export function challengeOf(
  refused: RefusedCredential,
  challenge: Challenge,
): { readonly [name: string]: string } {
  if (refused.code === "auth.unavailable") return { "retry-after": "5" };
  if (ERRORS[refused.code].httpStatus !== 401 && refused.tokenError === undefined) return {};
  if (challenge.resourceMetadataUrl === null) return { "www-authenticate": "Bearer" };
  const scope = refused.scope ?? challenge.scope;
  const parameters = [
    ...(refused.tokenError === undefined ? [] : [`error="${refused.tokenError}"`]),
    ...(scope === "" ? [] : [`scope="${scope}"`]),
    `resource_metadata="${challenge.resourceMetadataUrl}"`,
  ];
  return { "www-authenticate": `Bearer ${parameters.join(", ")}` };
}
