import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { Person } from "../../domain/principal.ts";
import type { PrincipalStore } from "../../governance/ports.ts";
import { type Refusal, RefusalError, refuse } from "../error-response.ts";
import { isSameOrigin } from "../front-door.ts";
import type { Authenticate } from "./authenticate.ts";
import { sessionIdOf } from "./session-cookie.ts";
import type { Sessions } from "./sessions.ts";

/** Header that only our own page sends: another page's request with it would have to ask first, and is refused then. */
const CSRF_HEADER = "x-atlas-csrf";

/** What a route behind a guard knows of who asks. */
export interface PersonEnv {
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    person: Person;
    /** Whether the person may still read, for answers that stay open. */
    stillAllowed: () => Promise<boolean>;
  };
}

export interface PersonGuardDeps {
  readonly store: Pick<PrincipalStore, "getPerson">;
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
}

const MISSING: Refusal = {
  code: "auth.missing",
  message: "Say who you are: send a person's token as 'Authorization: Bearer …'.",
};

const WRONG: Refusal = {
  code: "auth.missing",
  message: "This credential opens nothing: it is unknown or was revoked. Ask an administrator for a new one.",
};

export const AGENT_CREDENTIAL: Refusal = {
  code: "auth.wrong_principal",
  message:
    "This is an agent's credential. Agents do not decide or read cases here; a person must, with their own token.",
};

export const NO_ROLE: Refusal = {
  code: "auth.wrong_principal",
  message: "This person has no role here. An administrator can make them reviewer, admin or auditor.",
};

const NO_ADMIN: Refusal = {
  code: "auth.wrong_principal",
  message: "Only an admin may look at or change who may do what.",
};

/**
 * The person whose own token comes with the request; cookies do not count, so no web page can ride on a session.
 *
 * @throws RefusalError `auth.missing` without a valid credential, `auth.wrong_principal` with an agent's
 */
export async function personOfBearer(c: Context, authenticate: Authenticate): Promise<Person> {
  const header = c.req.header("authorization");
  if (header === undefined) throw new RefusalError(MISSING);
  return personOf(header, authenticate);
}

/** Lets in a person with a role, by their token or by the console's session. */
export function apiPerson(deps: PersonGuardDeps): MiddlewareHandler<PersonEnv> {
  return createMiddleware<PersonEnv>(async (c, next) => {
    await admit(c, deps);
    return next();
  });
}

/** Lets in an admin, the same way. */
export function apiAdmin(deps: PersonGuardDeps): MiddlewareHandler<PersonEnv> {
  return createMiddleware<PersonEnv>(async (c, next) => {
    await admit(c, deps);
    if (!c.get("person").roles.includes("admin")) return refuse(c, NO_ADMIN);
    return next();
  });
}

async function admit(c: Context<PersonEnv>, deps: PersonGuardDeps): Promise<void> {
  const header = c.req.header("authorization");
  if (header === undefined) await admitSession(c, deps);
  else await admitToken(c, header, deps);
  if (c.get("person").roles.length === 0) throw new RefusalError(NO_ROLE);
}

async function admitToken(c: Context<PersonEnv>, header: string, deps: PersonGuardDeps): Promise<void> {
  c.set("person", await personOf(header, deps.authenticate));
  c.set("stillAllowed", async () => {
    const principal = await deps.authenticate(header);
    return principal?.kind === "person" && principal.person.roles.length > 0;
  });
}

async function personOf(header: string, authenticate: Authenticate): Promise<Person> {
  const principal = await authenticate(header);
  if (principal === null) throw new RefusalError(WRONG);
  if (principal.kind === "agent") throw new RefusalError(AGENT_CREDENTIAL);
  return principal.person;
}

async function admitSession(c: Context<PersonEnv>, deps: PersonGuardDeps): Promise<void> {
  const sessionId = sessionIdOf(c);
  if (sessionId === undefined) throw new RefusalError(MISSING);
  const personId = await deps.sessions.use(sessionId);
  const person = personId === null ? null : await deps.store.getPerson(personId);
  if (person === null || person.revokedAtMs !== null) {
    throw new RefusalError({ code: "auth.missing", message: "The session has ended. Sign in again." });
  }
  if (c.req.method !== "GET" && c.req.method !== "HEAD") requireOwnPage(c);
  c.set("person", person);
  c.set("stillAllowed", async () => {
    const now = (await deps.sessions.peek(sessionId)) === null ? null : await deps.store.getPerson(person.id);
    return now !== null && now.revokedAtMs === null && now.roles.length > 0;
  });
}

/** A cookie comes along with whatever page made the request, so a change also needs proof that it was ours. */
export function requireOwnPage(c: Context): void {
  if (c.req.header(CSRF_HEADER) === "1" && isSameOrigin(c)) return;
  const message = `A change with a session must come from the console: same origin, and the header ${CSRF_HEADER}: 1.`;
  throw new RefusalError({ code: "auth.wrong_principal", message });
}
