import { createHash, timingSafeEqual } from "node:crypto";
import { type Context, Hono } from "hono";
import { isLoopback } from "../../config/check.ts";
import type { Config } from "../../config/config.ts";
import { METRICS_CONTENT_TYPE } from "../../telemetry/metrics.ts";
import type { Authenticate } from "../auth/authenticate.ts";
import { type Refusal, refuse } from "../error-response.ts";

export interface MetricsRoutesDeps {
  readonly authenticate: Authenticate;
  readonly config: Pick<Config, "listen" | "metrics" | "publicUrl">;
  /** The metrics in the Prometheus text format. */
  readonly expose: () => Promise<string>;
}

const FORBIDDEN: Refusal = {
  code: "auth.missing",
  message:
    "Metrics need a credential here: send the token of `metrics.token`, or of an admin or auditor, as 'Authorization: Bearer …'.",
};

/**
 * `GET /metrics`: for the token of the configuration and for admins and auditors. Without any credential only on a gateway
 * that listens on loopback, has neither such a token nor a `public_url`, and was not reached through a proxy.
 */
export function metricsRoutes(deps: MetricsRoutesDeps): Hono {
  return new Hono().get("/metrics", async (c) => {
    if (!(await mayRead(c, deps))) return refuse(c, FORBIDDEN);
    return c.body(await deps.expose(), 200, {
      "content-type": METRICS_CONTENT_TYPE,
      "cache-control": "no-store",
    });
  });
}

async function mayRead(c: Context, deps: MetricsRoutesDeps): Promise<boolean> {
  const { listen, metrics, publicUrl } = deps.config;
  const header = c.req.header("authorization");
  if (header === undefined) {
    return metrics.token === null && publicUrl === null && isLoopback(listen.host) && !isForwarded(c);
  }
  if (metrics.token !== null && isSame(header, `Bearer ${metrics.token}`)) return true;
  const principal = await deps.authenticate(header);
  return principal?.kind === "person" && principal.person.roles.some((r) => r === "admin" || r === "auditor");
}

function isForwarded(c: Context): boolean {
  return ["forwarded", "x-forwarded-for", "x-real-ip"].some((name) => c.req.header(name) !== undefined);
}

/** Takes as long whatever is wrong. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}
