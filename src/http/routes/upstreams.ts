import { Hono } from "hono";
import type { UpstreamHealth } from "../../governance/upstream-health.ts";
import { apiPerson, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import { isoTime } from "../case-view.ts";
import type { UpstreamListBody } from "../upstream-contract.ts";

export interface UpstreamRoutesDeps extends PersonGuardDeps {
  readonly upstreamHealth: () => readonly UpstreamHealth[];
}

/** `GET /api/v1/upstreams`: how the tool servers do, as the gateway last saw them. */
export function upstreamRoutes(deps: UpstreamRoutesDeps): Hono<PersonEnv> {
  return new Hono<PersonEnv>().get("/api/v1/upstreams", apiPerson(deps), (c) => {
    const body: UpstreamListBody = {
      upstreams: deps.upstreamHealth().map((health) => ({
        name: health.upstream,
        transport: health.transport,
        isolation: health.isolation,
        status: health.status,
        since: isoTime(health.sinceMs),
        reason: health.reason,
        protocol_version: health.protocolVersion,
        tools: health.tools,
        quarantined: health.quarantined,
      })),
    };
    return c.json(body);
  });
}
