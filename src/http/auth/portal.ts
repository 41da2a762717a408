import { Webhook } from "standardwebhooks";
import type { PortalConfig } from "../../config/config.ts";
import type { Person } from "../../domain/principal.ts";
import type { PrincipalStore } from "../../governance/ports.ts";
import { RefusalError } from "../error-response.ts";

/** Headers of the Standard Webhooks specification that a portal signs with. */
const SIGNATURE_HEADERS = ["webhook-id", "webhook-timestamp", "webhook-signature"] as const;

/** Whether a request claims to come from a portal. */
export function isPortalRequest(headers: Headers): boolean {
  return headers.has("webhook-signature");
}

/**
 * The portal whose secret signed this body, no longer than five minutes ago.
 *
 * @throws RefusalError `auth.missing` when no configured portal did.
 */
export function portalOf(portals: readonly PortalConfig[], headers: Headers, body: string): PortalConfig {
  const signature = Object.fromEntries(SIGNATURE_HEADERS.map((name) => [name, headers.get(name) ?? ""]));
  const portal = portals.find((candidate) => isSignedBy(candidate, body, signature));
  if (portal !== undefined) return portal;
  throw new RefusalError({
    code: "auth.missing",
    message:
      "No configured portal made this signature, or it is older than five minutes. Sign the exact body with the portal's secret.",
  });
}

function isSignedBy(portal: PortalConfig, body: string, signature: Record<string, string>): boolean {
  try {
    new Webhook(portal.secret).verify(body, signature);
    return true;
  } catch {
    // Why it does not verify would help only a forger.
    return false;
  }
}

/**
 * The person a portal names, by the account that the configuration maps them to.
 *
 * @throws RefusalError `review.not_entitled` when the portal may not speak for them.
 */
export async function portalReviewer(
  portal: PortalConfig,
  name: string,
  store: Pick<PrincipalStore, "listPeople">,
): Promise<Person> {
  const id = Object.hasOwn(portal.reviewers, name) ? portal.reviewers[name] : undefined;
  const person = (await store.listPeople()).find((candidate) => candidate.id === id);
  if (person !== undefined && person.revokedAtMs === null) return person;
  throw new RefusalError({
    code: "review.not_entitled",
    message: `The portal ${portal.name} may not speak for this reviewer: map the name to a person under portals.${portal.name}.reviewers.`,
  });
}
