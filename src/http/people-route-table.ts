import { signOutQuerySchema } from "./contract.ts";
import type { RefusalCode } from "./error-response.ts";
import { ok, type RouteEntry, SIGNED_IN } from "./route-entry.ts";

const NO_CONTENT = (description: string) => ({ status: 204, description });
const ADMIN: readonly RefusalCode[] = SIGNED_IN;
const PERSON_PATH = "/api/v1/people/{id}";

/** Signing in and out, people and agents. */
export const PEOPLE_ROUTES: readonly RouteEntry[] = [
  {
    method: "post",
    path: "/api/v1/session",
    who: "anyone",
    summary: "Signs a browser in with a person's token, or with their account and password.",
    request: "SignInRequest",
    answers: [ok("Signed in; the session is in a cookie.", "Session")],
    refusals: [...SIGNED_IN, "request.invalid", "store.failed"],
    throttled: true,
  },
  {
    method: "get",
    path: "/api/v1/session",
    who: "person",
    summary: "Who is signed in.",
    answers: [ok("The person.", "Session")],
    refusals: SIGNED_IN,
  },
  {
    method: "delete",
    path: "/api/v1/session",
    who: "anyone",
    summary:
      "Signs a browser out; with `everywhere=true` all of the person's browsers, for which they must be signed in.",
    query: signOutQuerySchema,
    answers: [NO_CONTENT("Signed out.")],
    refusals: [...SIGNED_IN, "request.invalid", "store.failed"],
  },
  {
    method: "post",
    path: "/api/v1/session/password",
    who: "person",
    summary: "Changes one's own password, and signs all of the person's browsers out.",
    request: "PasswordRequest",
    answers: [NO_CONTENT("Changed; sign in again.")],
    refusals: [...SIGNED_IN, "request.invalid", "resource.conflict"],
    throttled: true,
  },
  {
    method: "get",
    path: "/api/v1/people",
    who: "admin",
    summary: "People, what they may do and how they can sign in.",
    answers: [ok("Everybody there ever was.", "People")],
    refusals: ADMIN,
  },
  {
    method: "post",
    path: "/api/v1/people",
    who: "admin",
    summary: "Adds a person, with a token that is shown only in this answer.",
    request: "AddPersonRequest",
    answers: [{ status: 201, description: "Added.", schema: "PersonToken" }],
    refusals: [...ADMIN, "request.invalid", "resource.conflict"],
  },
  {
    method: "delete",
    path: PERSON_PATH,
    who: "admin",
    summary: "Revokes a person: their password, token and sessions open nothing any more.",
    answers: [NO_CONTENT("Revoked.")],
    refusals: [...ADMIN, "resource.not_found", "resource.conflict"],
  },
  {
    method: "put",
    path: `${PERSON_PATH}/roles`,
    who: "admin",
    summary: "Says what a person may do from now on, and signs all of their browsers out.",
    request: "RolesRequest",
    answers: [NO_CONTENT("Changed.")],
    refusals: [...ADMIN, "request.invalid", "resource.not_found", "resource.conflict"],
  },
  {
    method: "post",
    path: `${PERSON_PATH}/token`,
    who: "admin",
    summary: "Gives a person a new token, shown only in this answer; the old one opens nothing any more.",
    answers: [{ status: 201, description: "The new token.", schema: "PersonToken" }],
    refusals: [...ADMIN, "resource.not_found"],
  },
  {
    method: "get",
    path: "/api/v1/agents",
    who: "admin",
    summary: "Agents and their owners.",
    answers: [ok("All there ever were.", "Agents")],
    refusals: ADMIN,
  },
  {
    method: "post",
    path: "/api/v1/agents",
    who: "admin",
    summary: "Adds an agent, with a key that is shown only in this answer.",
    request: "AddAgentRequest",
    answers: [{ status: 201, description: "Added.", schema: "AgentKey" }],
    refusals: [...ADMIN, "request.invalid", "resource.not_found", "resource.conflict"],
  },
  {
    method: "delete",
    path: "/api/v1/agents/{id}",
    who: "admin",
    summary: "Revokes an agent: its key opens nothing, its waiting cases will not run.",
    answers: [NO_CONTENT("Revoked.")],
    refusals: [...ADMIN, "resource.not_found"],
  },
];
