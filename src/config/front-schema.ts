import { isIP } from "node:net";
import { z } from "zod";
import { ID_PATTERN } from "../domain/ids.ts";
import { isLoopback } from "./check.ts";
import { filled, httpUrl } from "./fields.ts";

/**
 * Signature algorithms an issuer may be allowed (RFC 7518, RFC 9864). Only those with a public key: with a shared
 * secret whoever can check a token can also make one, and `none` signs nothing.
 */
export const TOKEN_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

/** First segments of the gateway's own paths: a prefix that begins with one could not be told from them. */
const OWN_SEGMENTS: ReadonlySet<string> = new Set([
  "mcp",
  "api",
  "webhook",
  "console",
  "livez",
  "readyz",
  "metrics",
  ".well-known",
]);

export const publicUrlSchema = httpUrl.superRefine((value, context) => {
  const problem = URL.canParse(value) ? publicUrlProblem(new URL(value)) : undefined;
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

function publicUrlProblem(url: URL): string | undefined {
  if (url.search !== "" || url.hash !== "") return "the URL has a query or a fragment; remove it";
  if (!/^(?:\/[A-Za-z0-9._~-]+)*\/?$/u.test(url.pathname))
    return "the path may hold letters, digits, `-`, `.`, `_` and `~` between single slashes; choose another";
  const first = url.pathname.split("/")[1] ?? "";
  return OWN_SEGMENTS.has(first)
    ? `the path begins with /${first}, which is a path of the gateway itself; end the URL before it or choose another prefix`
    : undefined;
}

const network = z
  .string()
  .refine(
    isNetwork,
    "this is no address and no network; write one such as 10.0.0.0/8, 127.0.0.1 or fd00::/8",
  );

/** The whole internet (`/0`) is no proxy. */
function isNetwork(value: string): boolean {
  const [address = "", bits, ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^[1-9]\d{0,2}$/u.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

const hostName = z
  .string()
  .refine(
    (value) => isIP(value) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/u.test(value),
    "this is no host name; write one without scheme and port, such as atlas.internal",
  );

export const listenSchema = z.strictObject({
  host: filled.default("127.0.0.1"),
  port: z.int().min(0).max(65_535).default(8000),
  trusted_proxies: z.array(network).default([]),
  allowed_hosts: z.array(hostName).default([]),
});

/** RFC 8414 asks for https; on this machine there is nobody in between. */
const secureUrl = httpUrl.refine((value) => {
  const url = URL.parse(value);
  return url === null || url.protocol === "https:" || isLoopback(url.hostname);
}, "over plain http anybody on the way could make themselves any agent; use https");

const list = <Item extends z.ZodType>(item: Item) =>
  z.array(item).refine((items) => items.length > 0, "the list is empty; write at least one");

const issuerSchema = z.strictObject({
  issuer: secureUrl,
  jwks_url: secureUrl,
  audience: filled,
  algorithms: list(z.enum(TOKEN_ALGORITHMS)).default(["RS256", "ES256"]),
  required_scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/u, "this is no scope; write one word an entry"))
    .default([]),
  agent_claim: z
    .string()
    .regex(/^[A-Za-z0-9_.:/-]{1,200}$/u, "this is no name of a claim; write sub, client_id, azp or the like")
    .default("sub"),
  agents: z
    .record(
      filled,
      z.string().regex(ID_PATTERN, "this is no agent's id; write the id that `atlas agents list` shows"),
    )
    .refine((agents) => Object.keys(agents).length > 0, "it names no agent, so nobody gets in; add one"),
});

export const issuersSchema = (name: z.ZodString) =>
  z.record(name, issuerSchema).superRefine((issuers, context) => {
    const seen = new Set<string>();
    for (const [key, { issuer }] of Object.entries(issuers)) {
      if (seen.has(issuer))
        context.addIssue({
          code: "custom",
          path: [key, "issuer"],
          message: "an earlier entry has this issuer; put their agents together",
        });
      seen.add(issuer);
    }
  });
