import { Hono } from "hono";
import { apiPerson, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import type { CaseEvents } from "../case-events.ts";
import { refuse } from "../error-response.ts";

export interface EventRoutesDeps extends PersonGuardDeps {
  readonly events: CaseEvents;
}

/** `GET /api/v1/events`: live `case` and `tool` events as server-sent events. They say that something changed; what, the reader fetches. */
export function eventRoutes(deps: EventRoutesDeps): Hono<PersonEnv> {
  return new Hono<PersonEnv>().get("/api/v1/events", apiPerson(deps), (c) => {
    const stream = deps.events.open(c.get("stillAllowed"));
    if (stream === null) {
      const message = "Too many live views are open. Close some, or read the cases without one.";
      return refuse(c, { code: "store.failed", message });
    }
    return c.body(stream, 200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // A proxy that buffers would hold events back until it has a screenful.
      "x-accel-buffering": "no",
    });
  });
}
