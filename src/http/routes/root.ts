import { Hono } from "hono";
import type { Config, Enforcement } from "../../config/config.ts";
import type { StatusBody } from "../contract.ts";

export interface RootRouteDeps {
  readonly version: string;
  readonly config: Pick<Config, "engine" | "publicUrl" | "publicPath">;
  readonly mode: () => Enforcement;
}

/** `GET /`: who answers here. A person who opens it in a browser wants the console. */
export function rootRoute(deps: RootRouteDeps): Hono {
  const base = deps.config.publicUrl ?? "";
  const status = (): StatusBody => ({
    status: "ATLAS Governance Gateway Running",
    version: deps.version,
    engine: deps.config.engine.kind,
    mode: deps.mode(),
    endpoints: {
      mcp: `${base}/mcp`,
      mcp_sse: `${base}/mcp/sse`,
      approval: `${base}/webhook/approval`,
      api: `${base}/api/v1`,
      console: `${base}/console`,
      live: `${base}/livez`,
      ready: `${base}/readyz`,
    },
  });
  return new Hono().get("/", (c) => {
    c.header("vary", "accept");
    const isBrowser = prefersHtml(c.req.header("accept") ?? "");
    return isBrowser ? c.redirect(`${deps.config.publicPath}/console`) : c.json(status());
  });
}

/** The client asks for HTML above JSON; one that takes anything gets JSON. */
function prefersHtml(accept: string): boolean {
  return (
    qualityOf("text/html", accept) > Math.max(qualityOf("application/json", accept), qualityOf("*/*", accept))
  );
}

function qualityOf(mediaType: string, accept: string): number {
  const range = accept.split(",").find((part) => part.split(";")[0]?.trim().toLowerCase() === mediaType);
  if (range === undefined) return 0;
  const quality = Number(/;\s*q=([\d.]+)/i.exec(range)?.[1] ?? "1");
  return Number.isFinite(quality) ? quality : 0;
}
