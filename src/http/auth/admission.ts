import type { Admission, Principal } from "../../domain/principal.ts";
import type { Authenticate } from "./authenticate.ts";
import type { TokenAgents } from "./token-agents.ts";

export interface AdmissionDeps {
  /** Knows principals by what the gateway itself issued. */
  readonly byKey: Authenticate;
  readonly tokens: TokenAgents;
}

/** What is known of who sends this `Authorization` header: an ATLAS credential first, else a token of an issuer. */
export type Admit = (authorizationHeader: string | null | undefined) => Promise<Admission>;

export function createAdmission(deps: AdmissionDeps): Admit {
  return async (header) => {
    const principal = await deps.byKey(header);
    if (principal !== null) return principal;
    const credential = /^Bearer +([^\s,]+)$/i.exec(header?.trim() ?? "")?.[1];
    if (credential !== undefined && deps.tokens.isToken(credential)) return deps.tokens.admit(credential);
    return {
      kind: "refused",
      code: "auth.missing",
      message: "No valid agent key: send it as `Authorization: Bearer atlas_agent_…`.",
      ...(credential !== undefined && { tokenError: "invalid_token" }),
    };
  };
}

/** For those who need not know why somebody is refused. */
export function principalOf(admit: Admit): Authenticate {
  return async (header): Promise<Principal | null> => {
    const admission = await admit(header);
    return admission.kind === "refused" ? null : admission;
  };
}
