import { Hono } from "hono";
import type { CaseStore } from "../../governance/ports.ts";
import type { HealthBody } from "../contract.ts";

export interface HealthRoutesDeps {
  readonly store: Pick<CaseStore, "nextDueAtMs">;
}

/** `GET /livez`: the process answers. `GET /readyz`: and its database does. */
export function healthRoutes(deps: HealthRoutesDeps): Hono {
  return new Hono()
    .get("/livez", (c) => c.json({ status: "live" } satisfies HealthBody))
    .get("/readyz", async (c) => {
      await deps.store.nextDueAtMs();
      return c.json({ status: "ready" } satisfies HealthBody);
    });
}
