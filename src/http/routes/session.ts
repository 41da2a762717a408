import { type Context, Hono } from "hono";
import { type Config, enforcementOf } from "../../config/config.ts";
import { sha256 } from "../../domain/digest.ts";
import type { Person } from "../../domain/principal.ts";
import type { AccountStore, SignInProof } from "../../governance/account-ports.ts";
import { type ChangePasswordDeps, changePassword, checkPassword } from "../../governance/sign-in.ts";
import {
  AGENT_CREDENTIAL,
  apiPerson,
  NO_ROLE,
  type PersonEnv,
  type PersonGuardDeps,
  requireOwnPage,
} from "../auth/person-guard.ts";
import { type SessionCookie, sessionIdOf } from "../auth/session-cookie.ts";
import type { SignInThrottle } from "../auth/sign-in-throttle.ts";
import type { ClientAddress } from "../client-address.ts";
import {
  passwordRequestSchema,
  type SessionBody,
  signInRequestSchema,
  signOutQuerySchema,
} from "../contract.ts";
import { RefusalError, refuse } from "../error-response.ts";
import { readBody, readQuery } from "../request-body.ts";

export interface SessionRoutesDeps extends PersonGuardDeps {
  readonly store: PersonGuardDeps["store"] &
    Pick<AccountStore, "closeAllSessions"> &
    ChangePasswordDeps["store"];
  readonly passwords: ChangePasswordDeps["passwords"];
  readonly onNotRecorded: ChangePasswordDeps["onNotRecorded"];
  readonly cookie: SessionCookie;
  readonly throttle: SignInThrottle;
  readonly config: Pick<Config, "singleOperator" | "observe" | "upstreams" | "policy">;
  readonly clientAddress: ClientAddress;
}

/** `/api/v1/session`: signing a browser in and out, and a person's own password. */
export function sessionRoutes(deps: SessionRoutesDeps): Hono<PersonEnv> {
  const routes = new Hono<PersonEnv>();
  const person = apiPerson(deps);

  routes.post("/api/v1/session", async (c) => {
    const body = await readBody(c, signInRequestSchema);
    const { person, proof } =
      body.token === undefined
        ? await byPassword(c, { account: body.account ?? "", password: body.password ?? "" }, deps)
        : await byToken(c, body.token, deps);
    if (person.roles.length === 0) return refuse(c, NO_ROLE);
    const sessionId = await deps.sessions.open(person.id, proof);
    if (sessionId === null) return refuse(c, CHANGED_MEANWHILE);
    const previous = sessionIdOf(c);
    if (previous !== undefined) await deps.sessions.close(previous);
    deps.cookie.set(c, sessionId);
    return c.json(sessionBody(person, deps));
  });

  routes.get("/api/v1/session", person, (c) => c.json(sessionBody(c.get("person"), deps)));

  routes.delete(
    "/api/v1/session",
    // Signing out of one browser works for a session that has ended, too, and so is not behind the guard.
    (c, next) => (readQuery(c, signOutQuerySchema).everywhere === true ? person(c, next) : next()),
    async (c) => {
      if (readQuery(c, signOutQuerySchema).everywhere === true) {
        await deps.store.closeAllSessions(c.get("person").id);
      } else {
        requireOwnPage(c);
        const sessionId = sessionIdOf(c);
        if (sessionId !== undefined) await deps.sessions.close(sessionId);
      }
      deps.cookie.clear(c);
      return c.body(null, 204);
    },
  );

  routes.post("/api/v1/session/password", person, (c) => ownPassword(c, deps));

  return routes;
}

interface SignedIn {
  readonly person: Person;
  readonly proof: SignInProof;
}

async function byToken(c: Context<PersonEnv>, token: string, deps: SessionRoutesDeps): Promise<SignedIn> {
  const principal = await deps.authenticate(`Bearer ${token}`);
  if (principal?.kind === "person")
    return { person: principal.person, proof: { kind: "token", sha256: sha256(token) } };
  const waitMs = deps.throttle.tokenFailed(deps.clientAddress(c));
  if (waitMs > 0) throw tooManyFailures(waitMs);
  throw new RefusalError(principal === null ? UNKNOWN_TOKEN : AGENT_CREDENTIAL);
}

async function byPassword(
  c: Context<PersonEnv>,
  params: { readonly account: string; readonly password: string },
  deps: SessionRoutesDeps,
): Promise<SignedIn> {
  const attempt = deps.throttle.tryPassword({ address: deps.clientAddress(c), account: params.account });
  if (attempt.kind === "wait") throw tooManyFailures(attempt.waitMs);
  const checked = await checkPassword(params, deps);
  if (checked.kind === "differs") throw new RefusalError(WRONG_PASSWORD);
  if (checked.kind === "busy") {
    attempt.dropped();
    throw new RefusalError(BUSY);
  }
  attempt.succeeded();
  return { person: checked.person, proof: { kind: "password", hash: checked.hash } };
}

async function ownPassword(c: Context<PersonEnv>, deps: SessionRoutesDeps): Promise<Response> {
  const body = await readBody(c, passwordRequestSchema);
  const person = c.get("person");
  // Whoever holds a session must not find out the password with it.
  const attempt = deps.throttle.tryPassword({ address: deps.clientAddress(c), account: person.id });
  if (attempt.kind === "wait") throw tooManyFailures(attempt.waitMs);
  const result = await changePassword(
    {
      person,
      proof:
        body.old_password === undefined ? { token: body.token ?? "" } : { oldPassword: body.old_password },
      newPassword: body.new_password,
    },
    deps,
  );
  if (result.kind !== "not_proved") attempt.dropped();
  switch (result.kind) {
    case "changed":
      deps.cookie.clear(c);
      return c.body(null, 204);
    case "unacceptable": {
      const message = `The field "new_password" ${result.problem}.`;
      return refuse(c, { code: "request.invalid", message });
    }
    case "not_proved":
      return refuse(c, NOT_PROVED[result.needs]);
    case "outdated":
      return refuse(c, { code: "resource.conflict", message: "The password was changed meanwhile." });
    case "busy":
      return refuse(c, BUSY);
    default:
      return result satisfies never;
  }
}

const UNKNOWN_TOKEN = {
  code: "auth.missing",
  message:
    "This token opens nothing: it is unknown or was revoked. Check it, or ask an administrator for a new one.",
} as const;

const WRONG_PASSWORD = {
  code: "auth.missing",
  message: "There is no such account with this password. Check both, or sign in with your token.",
} as const;

const CHANGED_MEANWHILE = {
  code: "auth.missing",
  message: "What you signed in with was changed or revoked at this moment. Sign in again.",
} as const;

const BUSY = {
  code: "auth.missing",
  message: "Too many people are signing in with a password. Try again in 2 s, or sign in with your token.",
  retryAfterS: 2,
} as const;

const NOT_PROVED = {
  old_password: {
    code: "auth.wrong_principal",
    message: "The old password is needed, and it must be right. Nothing was changed.",
  },
  token: {
    code: "auth.wrong_principal",
    message: "You have no password yet, so your personal token is needed, and it must be right.",
  },
} as const;

function tooManyFailures(waitMs: number): RefusalError {
  const retryAfterS = Math.ceil(waitMs / 1_000);
  const message = `Too many failed sign-ins from this address or to this account. Try again in ${retryAfterS} s; a personal token is taken at once.`;
  return new RefusalError({ code: "auth.missing", message, retryAfterS });
}

function sessionBody(person: Person, { config }: Pick<SessionRoutesDeps, "config">): SessionBody {
  return {
    person: { id: person.id, roles: [...person.roles] },
    single_operator: config.singleOperator,
    mode: enforcementOf(config),
  };
}
