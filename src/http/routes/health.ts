import { Hono } from "hono";
import type { CaseStore } from "../../governance/ports.ts";
import type { HealthBody, ReadinessBody } from "../contract.ts";

/** What the process says of itself. */
export interface GatewayStatus {
  readonly phase: "starting" | "running" | "stopping";
  /** The last reload was refused, so the file on disk is not the configuration in force. */
  readonly reloadRefused: boolean;
}

export interface HealthRoutesDeps {
  readonly store: Pick<CaseStore, "nextDueAtMs">;
  readonly status: () => GatewayStatus;
}

/**
 * `GET /livez`: the process answers. `GET /readyz`: it takes calls. An upstream that is down is no reason against it: the
 * others are governed all the same, and a restart would not bring it back.
 */
export function healthRoutes(deps: HealthRoutesDeps): Hono {
  return new Hono()
    .get("/livez", (c) => c.json({ status: "live" } satisfies HealthBody))
    .get("/readyz", async (c) => {
      const { phase, reloadRefused } = deps.status();
      const reasons: ReadinessBody["reasons"] = [];
      if (phase === "starting") reasons.push("gateway.starting");
      if (phase === "stopping") reasons.push("gateway.stopping");
      if (!(await isReadable(deps))) reasons.push("store.failed");
      const body: ReadinessBody = {
        status: reasons.length === 0 ? "ready" : "not_ready",
        reasons,
        config: reloadRefused ? "reload_refused" : "in_force",
      };
      return c.json(body, reasons.length === 0 ? 200 : 503);
    });
}

async function isReadable(deps: HealthRoutesDeps): Promise<boolean> {
  try {
    await deps.store.nextDueAtMs();
    return true;
  } catch {
    // The store has said why in its own log.
    return false;
  }
}
