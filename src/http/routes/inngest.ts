import { Hono } from "hono";
import type { Clock } from "../../domain/clock.ts";
import { refuse } from "../error-response.ts";

export interface InngestRouteDeps {
  /** Verifies the signature and answers; null: the engine is not Inngest. */
  readonly endpoint: ((request: Request) => Promise<Response>) | null;
  readonly clock: Clock;
}

export const INNGEST_PATH = "/api/inngest";

/** A sync is not signed, and each makes the gateway call Inngest. */
const SYNCS_PER_MINUTE = 10;
const MINUTE_MS = 60_000;

/**
 * `/api/inngest`: GET and POST only with Inngest's signature; a PUT makes the gateway tell the Inngest server that it knows
 * where this gateway is, and changes nothing here.
 */
export function inngestRoute({ endpoint, clock }: InngestRouteDeps): Hono {
  const syncs = { sinceMs: Number.NEGATIVE_INFINITY, count: 0 };
  return new Hono().on(["GET", "POST", "PUT"], INNGEST_PATH, (c) => {
    if (endpoint === null) {
      const message = "The engine of this gateway is not Inngest.";
      return refuse(c, { code: "resource.not_found", message });
    }
    if (c.req.method === "PUT") {
      const nowMs = clock.monotonicMs();
      if (nowMs - syncs.sinceMs >= MINUTE_MS) Object.assign(syncs, { sinceMs: nowMs, count: 0 });
      syncs.count += 1;
      if (syncs.count > SYNCS_PER_MINUTE) {
        const retryAfterS = Math.ceil((syncs.sinceMs + MINUTE_MS - nowMs) / 1_000);
        const message = "The gateway was asked to sync too often; it will again in a minute.";
        return refuse(c, { code: "request.invalid", message, retryAfterS });
      }
    }
    return endpoint(c.req.raw);
  });
}
