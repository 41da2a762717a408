import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { IssuerConfig } from "../../config/config.ts";
import type { Clock } from "../../domain/clock.ts";
import { fail, ok, type Result } from "../../domain/errors.ts";
import { agentId } from "../../domain/ids.ts";
import type { Admission, RefusedCredential } from "../../domain/principal.ts";
import type { PrincipalStore } from "../../governance/ports.ts";
import type { Log } from "../../telemetry/log.ts";
import { createIssuerKeys, KeysUnavailable } from "./issuer-keys.ts";

/** Longer than access tokens get in practice; what is longer is not read at all. */
const MAX_TOKEN_LENGTH = 8_192;
/** How far the issuer's clock and ours may be apart. */
const CLOCK_TOLERANCE_S = 5;
/** Types of access tokens (RFC 9068) and of tokens whose issuer names no type; all others are made for something else. */
const TOKEN_TYPES: ReadonlySet<string> = new Set(["at+jwt", "application/at+jwt", "jwt", "application/jwt"]);

/** Knows agents by JWT access tokens of the configured issuers. */
export interface TokenAgents {
  /** Whether this is worth showing to {@link admit}: it has the shape of a signed token. */
  isToken(credential: string): boolean;
  admit(token: string): Promise<Admission>;
}

export interface TokenAgentsDeps {
  /** Those in force now; the same list until a reload brings another. */
  readonly issuers: () => readonly IssuerConfig[];
  readonly store: Pick<PrincipalStore, "getAgent">;
  readonly clock: Clock;
  readonly log: Log;
}

interface Issuer extends IssuerConfig {
  readonly keys: JWTVerifyGetKey;
}

export function createTokenAgents(deps: TokenAgentsDeps): TokenAgents {
  let configured: readonly IssuerConfig[] | null = null;
  let known: ReadonlyMap<string, Issuer> = new Map();
  /** A reload brings another list; the keys of its issuers are fetched anew. */
  const current = () => {
    const newest = deps.issuers();
    if (newest !== configured) known = issuersOf(newest, deps);
    configured = newest;
    return known;
  };
  return {
    isToken: (credential) =>
      current().size > 0 && /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(credential),
    admit: async (token) => {
      if (token.length > MAX_TOKEN_LENGTH) return invalid("The token is longer than any this gateway takes.");
      const issuer = current().get(unverifiedIssuer(token) ?? "");
      if (issuer === undefined) return invalid("The token is of an issuer that this gateway does not know.");
      const verified = await verify(token, issuer, deps.clock);
      return verified.ok ? admitBearer(verified.value, issuer, deps.store) : verified.failure;
    },
  };
}

function issuersOf(
  configs: readonly IssuerConfig[],
  deps: Pick<TokenAgentsDeps, "clock" | "log">,
): ReadonlyMap<string, Issuer> {
  return new Map(
    configs.map((config) => {
      const { jwksUrl, name } = config;
      const onUnavailable = (error: unknown) =>
        deps.log.warn({ error, issuer: name }, "the issuer's keys cannot be had; its agents are refused");
      return [
        config.issuer,
        { ...config, keys: createIssuerKeys({ jwksUrl, clock: deps.clock, onUnavailable }) },
      ];
    }),
  );
}

/** Logs the agents that the configuration names and nobody has added: their tokens will be refused. */
export async function warnOfUnknownAgents(
  deps: Pick<TokenAgentsDeps, "store" | "log"> & {
    readonly issuers: readonly Pick<IssuerConfig, "name" | "agents">[];
  },
): Promise<void> {
  for (const issuer of deps.issuers) {
    for (const id of new Set(Object.values(issuer.agents))) {
      if ((await deps.store.getAgent(agentId(id))) !== null) continue;
      deps.log.warn(
        { issuer: issuer.name, agent: id },
        "an issuer's agent does not exist, so its tokens are refused; add it with atlas agents add --no-key",
      );
    }
  }
}

/** Says only which keys to try: nothing of it is believed before the signature is. */
function unverifiedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    // Not even a token.
    return undefined;
  }
}

async function verify(
  token: string,
  issuer: Issuer,
  clock: Clock,
): Promise<Result<JWTPayload, RefusedCredential>> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, issuer.keys, {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: [...issuer.algorithms],
      requiredClaims: ["exp"],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(clock.nowMs()),
    });
    if (!TOKEN_TYPES.has((protectedHeader.typ ?? "JWT").toLowerCase()))
      return fail(invalid("This is no access token but a token of another type."));
    // Whoever holds such a token must prove more than we can check (RFC 7800).
    if (payload["cnf"] !== undefined)
      return fail(
        invalid("The token is bound to a key, which this gateway cannot check; ask for a bearer token."),
      );
    return ok(payload);
  } catch (error) {
    return fail(refusalOf(error, issuer));
  }
}

function refusalOf(error: unknown, issuer: IssuerConfig): RefusedCredential {
  if (error instanceof KeysUnavailable) {
    const message =
      "The token cannot be checked now, because its issuer does not give its keys. Try again later.";
    return { kind: "refused", code: "auth.unavailable", message };
  }
  if (error instanceof errors.JWTExpired) return invalid("The token has expired; get a new one.");
  if (error instanceof errors.JWTClaimValidationFailed) {
    switch (error.claim) {
      case "aud":
        return invalid(`The token is for another audience; ask its issuer for one for ${issuer.audience}.`);
      case "nbf":
        return invalid("The token is not valid yet; check the clocks.");
      case "exp":
        return invalid("The token does not say when it expires; this gateway takes only those that do.");
      default:
        return invalid("A claim of the token is missing or malformed.");
    }
  }
  if (error instanceof errors.JOSEAlgNotAllowed)
    return invalid("The token is signed with an algorithm that this gateway does not take from its issuer.");
  return invalid("The token is not signed with a key of its issuer.");
}

/** The agent that the claim names, if an administrator added it, with an owner, and nobody revoked it. */
async function admitBearer(
  payload: JWTPayload,
  issuer: IssuerConfig,
  store: Pick<PrincipalStore, "getAgent">,
): Promise<Admission> {
  const scopes = scopesOf(payload);
  if (!issuer.requiredScopes.every((scope) => scopes.has(scope))) {
    const scope = issuer.requiredScopes.join(" ");
    const message = `The token lacks a scope; ask its issuer for one with: ${scope}`;
    return {
      kind: "refused",
      code: "auth.insufficient_scope",
      message,
      tokenError: "insufficient_scope",
      scope,
    };
  }
  const value = payload[issuer.agentClaim];
  const id =
    typeof value === "string" && Object.hasOwn(issuer.agents, value) ? issuer.agents[value] : undefined;
  const agent = id === undefined ? null : await store.getAgent(agentId(id));
  if (agent !== null && agent.revokedAtMs === null) return { kind: "agent", agent };
  const message =
    "The token is good, but its bearer is no agent of this gateway, or one that was revoked. Ask an administrator.";
  return { kind: "refused", code: "auth.wrong_principal", message };
}

/** `scope` (RFC 8693), or `scp` as some issuers write it. */
function scopesOf(payload: JWTPayload): ReadonlySet<unknown> {
  const claims: unknown[] = [payload["scope"], payload["scp"]];
  return new Set(
    claims.flatMap((claim): readonly unknown[] =>
      typeof claim === "string" ? claim.split(" ") : Array.isArray(claim) ? claim : [],
    ),
  );
}

function invalid(message: string): RefusedCredential {
  return { kind: "refused", code: "auth.missing", message, tokenError: "invalid_token" };
}
