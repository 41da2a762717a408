import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { type Config, enforcementOf } from "../../config/config.ts";
import type { Person } from "../../domain/principal.ts";
import {
  AGENT_CREDENTIAL,
  apiPerson,
  NO_ROLE,
  type PersonEnv,
  type PersonGuardDeps,
  requireOwnPage,
  SESSION_COOKIE,
} from "../auth/person-guard.ts";
import { SESSION_LIFETIME_MS } from "../auth/sessions.ts";
import type { SignInThrottle } from "../auth/sign-in-throttle.ts";
import { type SessionBody, signInRequestSchema } from "../contract.ts";
import { refuse } from "../error-response.ts";
import { readBody } from "../request-body.ts";

export interface SessionRoutesDeps extends PersonGuardDeps {
  readonly throttle: SignInThrottle;
  readonly config: Pick<Config, "singleOperator" | "observe" | "upstreams" | "policy">;
}

type SessionEnv = PersonEnv & { readonly Bindings: Partial<HttpBindings> };

/** `/api/v1/session`: signing a browser in and out. */
export function sessionRoutes(deps: SessionRoutesDeps): Hono<SessionEnv> {
  const routes = new Hono<SessionEnv>();

  routes.post("/api/v1/session", async (c) => {
    const source = c.env?.incoming?.socket.remoteAddress ?? "";
    const waitMs = deps.throttle.waitMs(source);
    if (waitMs > 0) return refuse(c, tooManyFailures(waitMs));
    const { token } = await readBody(c, signInRequestSchema);
    const principal = await deps.authenticate(`Bearer ${token}`);
    if (principal?.kind !== "person") {
      deps.throttle.failed(source);
      return refuse(c, principal === null ? UNKNOWN_TOKEN : AGENT_CREDENTIAL);
    }
    if (principal.person.roles.length === 0) return refuse(c, NO_ROLE);
    const previous = getCookie(c, SESSION_COOKIE);
    if (previous !== undefined) deps.sessions.close(previous);
    setCookie(c, SESSION_COOKIE, deps.sessions.open(principal.person.id), {
      ...cookieOptions(c),
      maxAge: SESSION_LIFETIME_MS / 1_000,
    });
    return c.json(sessionBody(principal.person, deps));
  });

  routes.get("/api/v1/session", apiPerson(deps), (c) => {
    return c.json(sessionBody(c.get("person"), deps));
  });

  // Not behind the guard: signing out works for a session that has ended, too.
  routes.delete("/api/v1/session", (c) => {
    requireOwnPage(c);
    const sessionId = getCookie(c, SESSION_COOKIE);
    if (sessionId !== undefined) deps.sessions.close(sessionId);
    deleteCookie(c, SESSION_COOKIE, cookieOptions(c));
    return c.body(null, 204);
  });

  return routes;
}

const UNKNOWN_TOKEN = {
  code: "auth.missing",
  message:
    "This token opens nothing: it is unknown or was revoked. Check it, or ask an administrator for a new one.",
} as const;

function tooManyFailures(waitMs: number) {
  const retryAfterS = Math.ceil(waitMs / 1_000);
  const message = `Too many failed sign-ins from this address. Try again in ${retryAfterS} s.`;
  return { code: "auth.missing", message, retryAfterS } as const;
}

/**
 * A proxy's word that the browser came by https is taken: whoever lies about it only keeps their own cookie
 * from being sent in the clear.
 */
function cookieOptions(c: Context) {
  const isHttps = new URL(c.req.url).protocol === "https:" || c.req.header("x-forwarded-proto") === "https";
  return { path: "/", httpOnly: true, sameSite: "Strict", secure: isHttps } as const;
}

function sessionBody(person: Person, deps: Pick<SessionRoutesDeps, "config">): SessionBody {
  return {
    person: { id: person.id, roles: [...person.roles] },
    single_operator: deps.config.singleOperator,
    mode: enforcementOf(deps.config),
  };
}
