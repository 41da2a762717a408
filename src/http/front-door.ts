import { isIPv6 } from "node:net";
import type { Context, MiddlewareHandler } from "hono";
import type { Config } from "../config/config.ts";
import type { Log } from "../telemetry/log.ts";
import { REASON_OF_ANSWER, refuse } from "./error-response.ts";
import { INNGEST_PATH } from "./routes/inngest.ts";

/** Largest request body; arguments of a tool call larger than this are not something a human can review. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** What a page of another origin must not be able to do with our answers, whatever they are. */
const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

/** The headers that {@link securityHeaders} adds. */
export const securityHeaderList: readonly (readonly [string, string])[] = Object.entries(SECURITY_HEADERS);

export function securityHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
    }
  };
}

/** One line a request; refusals at `info` with the code that the answer has. Paths and codes only: queries and bodies may hold anything. */
export function accessLog(log: Log): MiddlewareHandler {
  return async (c, next) => {
    const startedMs = performance.now();
    await next();
    const reason: unknown = c.get(REASON_OF_ANSWER);
    const fields = {
      method: c.req.method,
      path: c.req.path.slice(0, 200),
      status: c.res.status,
      ms: Math.round(performance.now() - startedMs),
      reason_id: reason,
    };
    if (c.res.status >= 400) log.info(fields, "Request refused.");
    else log.debug(fields, "Request answered.");
  };
}

/** What whoever watches the gateway asks; answered to the end. */
const PROBES = /\/(?:livez|readyz|metrics)$/;

/** Refuses what is new while the gateway finishes what is in flight; a client that is told so tries again soon, or elsewhere. */
export function stoppingCheck(isStopping: () => boolean): MiddlewareHandler {
  return async (c, next) => {
    if (!isStopping() || PROBES.test(c.req.path)) return next();
    c.header("connection", "close");
    const message =
      "The gateway is stopping and takes nothing new. Waiting cases stay; try again in a moment.";
    return refuse(c, { code: "gateway.stopping", message });
  };
}

/** Names this gateway answers for, beside loopback. */
export function hostsOf({ publicUrl, listen }: Pick<Config, "publicUrl" | "listen">): readonly string[] {
  return [listen.host, ...listen.allowedHosts, ...(publicUrl === null ? [] : [new URL(publicUrl).hostname])];
}

/**
 * Refuses requests that were made for another name: a web page that rebinds its own name to our address (DNS rebinding)
 * still sends its own name as Host.
 */
export function hostCheck(allowedHosts: readonly string[]): MiddlewareHandler {
  const isAllowed = allowedHost(allowedHosts);
  return async (c, next) => {
    // Inngest reaches the gateway by whatever name its network has; its signature says that it is Inngest.
    if (c.req.path === INNGEST_PATH || isAllowed(hostOf(c))) return next();
    const message =
      "This gateway does not answer for the host name in the request. Use localhost, or add the name to the configuration.";
    return refuse(c, { code: "request.forbidden_host", message });
  };
}

/** Whether the gateway answers for what a `Host` header says. */
export function allowedHost(allowedHosts: readonly string[]): (host: string) => boolean {
  const named = allowedHosts.map((host) => hostName(isIPv6(host) ? `[${host}]` : host));
  const allowed = new Set([...LOOPBACK_NAMES, ...named.filter((name) => name !== undefined)]);
  return (host) => {
    const name = hostName(host);
    return name !== undefined && allowed.has(name);
  };
}

/** Context variable: whether the request says that it comes from a page this gateway served. */
const IS_SAME_ORIGIN = "isSameOrigin";

/**
 * Refuses requests that a web page of another origin makes. Programs send no Origin.
 *
 * @param publicUrl where people reach the gateway; null: where it listens
 */
export function originCheck(publicUrl: string | null): MiddlewareHandler {
  const publicOrigin = publicUrl === null ? null : new URL(publicUrl);
  return async (c, next) => {
    const origin = c.req.header("origin");
    if (origin === undefined) return next();
    c.set(IS_SAME_ORIGIN, isOwnOrigin(originUrl(origin), hostOf(c), publicOrigin));
    if (isSameOrigin(c) || LOOPBACK_NAMES.has(originUrl(origin)?.hostname ?? "")) return next();
    const message = "This gateway does not answer web pages of other origins.";
    return refuse(c, { code: "request.forbidden_host", message });
  };
}

/**
 * At its public name a page is ours only by the whole public origin: the same name without TLS is anybody's on the way.
 * Elsewhere host and port are compared, not the scheme, which a proxy that ends TLS hides.
 */
function isOwnOrigin(origin: URL | undefined, host: string, publicUrl: URL | null): boolean {
  if (origin === undefined) return false;
  if (origin.host === publicUrl?.host) return origin.origin === publicUrl.origin;
  return origin.host === host.toLowerCase();
}

/** The request says that it comes from a page this gateway served. */
export function isSameOrigin(c: Context): boolean {
  return c.get(IS_SAME_ORIGIN) === true;
}

function originUrl(origin: string): URL | undefined {
  if (!/^https?:\/\/[^/]+$/.test(origin)) return undefined;
  return URL.parse(origin) ?? undefined;
}

function hostOf(c: Context): string {
  return c.req.header("host") ?? new URL(c.req.url).host;
}

/** Host without port, lower case; undefined when it is not a host at all. */
function hostName(host: string): string | undefined {
  if (!/^[A-Za-z0-9._:[\]-]+$/.test(host)) return undefined;
  return URL.parse(`http://${host}/`)?.hostname;
}

/**
 * Refuses bodies that are not JSON: a form of another page can send anything else without asking first.
 * The agents' paths check this themselves, because their clients read only JSON-RPC errors.
 */
export function jsonOnly(): MiddlewareHandler {
  return async (c, next) => {
    const checksItself = /^\/mcp(\/|$)/.test(c.req.path);
    if (checksItself || !hasBody(c) || isUtf8Json(c.req.header("content-type") ?? "")) return next();
    const message = "Send the body as JSON in UTF-8, with the header Content-Type: application/json.";
    return refuse(c, { code: "request.unsupported_media_type", message });
  };
}

function isUtf8Json(contentType: string): boolean {
  return /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(contentType);
}

function hasBody(c: Context): boolean {
  if (c.req.method === "GET" || c.req.method === "HEAD") return false;
  const declared = c.req.header("content-length");
  if (declared !== undefined) return declared !== "0";
  return c.req.header("content-type") !== undefined || c.req.header("transfer-encoding") !== undefined;
}

/** Refuses bodies above the limit; one without a declared length is read up to the limit before anything else sees it. */
export function bodyLimit(maxBytes: number): MiddlewareHandler {
  return async (c, next) => {
    if (!hasBody(c)) return next();
    const declared =
      c.req.header("transfer-encoding") === undefined ? c.req.header("content-length") : undefined;
    if (declared !== undefined) return Number(declared) > maxBytes ? tooLarge(c, maxBytes) : next();
    const body = await readUpTo(c.req.raw.body, maxBytes);
    if (body === null) return tooLarge(c, maxBytes);
    const { method, headers, signal } = c.req.raw;
    c.req.raw = new Request(c.req.url, { method, headers, signal, body });
    return next();
  };
}

async function readUpTo(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Buffer<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(c: Context, maxBytes: number): Response {
  const message = `The request's body is larger than ${maxBytes / 1024 / 1024} MiB, the largest this gateway takes.`;
  return refuse(c, { code: "request.too_large", message });
}
