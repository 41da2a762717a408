import { sha256 } from "../../domain/digest.ts";
import type { Principal } from "../../domain/principal.ts";
import type { PrincipalStore } from "../../governance/ports.ts";

/** Longer than any credential we issue; what is longer is not hashed at all. */
const MAX_CREDENTIAL_LENGTH = 512;

export interface AuthenticatorDeps {
  readonly store: Pick<PrincipalStore, "findByCredential">;
}

/** Who presents this `Authorization` header; null for none, a malformed, an unknown or a revoked credential. */
export type Authenticate = (authorizationHeader: string | null | undefined) => Promise<Principal | null>;

/**
 * Knows principals by their bearer credential. Only the SHA-256 of what was presented is compared, by an index
 * look-up: how long that takes says something of the hash, from which nobody can work towards a credential.
 */
export function createAuthenticator(deps: AuthenticatorDeps): Authenticate {
  return async (header) => {
    const credential = /^Bearer +([^\s,]+)$/i.exec(header?.trim() ?? "")?.[1];
    if (credential === undefined || credential.length > MAX_CREDENTIAL_LENGTH) return null;
    const found = await deps.store.findByCredential(sha256(credential));
    if (found === null) return null;
    if ("agent" in found) {
      return found.agent.revokedAtMs === null ? { kind: "agent", agent: found.agent } : null;
    }
    return found.person.revokedAtMs === null ? { kind: "person", person: found.person } : null;
  };
}
