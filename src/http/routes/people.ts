import { type Context, Hono } from "hono";
import { sha256 } from "../../domain/digest.ts";
import { ID_PATTERN, newCredential, type PersonId, personId, type RandomBytes } from "../../domain/ids.ts";
import type { AccountStore, PersonChange } from "../../governance/account-ports.ts";
import type { PrincipalStore } from "../../governance/ports.ts";
import { apiAdmin, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import { isoTimeOrNull } from "../case-view.ts";
import {
  addPersonRequestSchema,
  type PeopleBody,
  type PersonTokenBody,
  rolesRequestSchema,
} from "../contract.ts";
import { type Refusal, RefusalError, refuse } from "../error-response.ts";
import { readBody } from "../request-body.ts";

export interface PeopleRoutesDeps extends PersonGuardDeps {
  readonly store: PersonGuardDeps["store"] &
    Pick<PrincipalStore, "addPerson" | "listPeople"> &
    Pick<AccountStore, "changeRoles" | "revokePerson" | "rotateToken" | "listSignInMeans">;
  readonly random: RandomBytes;
}

/** `/api/v1/people`: who may decide, configure and audit. Admins only. */
export function peopleRoutes(deps: PeopleRoutesDeps): Hono<PersonEnv> {
  const { store, random } = deps;
  const routes = new Hono<PersonEnv>();
  const admin = apiAdmin(deps);

  routes.get("/api/v1/people", admin, async (c) => {
    const [people, means] = await Promise.all([store.listPeople(), store.listSignInMeans()]);
    const body: PeopleBody = {
      people: people.map(({ id, roles, revokedAtMs }) => ({
        id,
        roles: [...roles],
        password: means.get(id)?.password ?? false,
        token: means.get(id)?.token ?? false,
        revoked_at: isoTimeOrNull(revokedAtMs),
      })),
    };
    return c.json(body);
  });

  routes.post("/api/v1/people", admin, async (c) => {
    const { id, roles } = await readBody(c, addPersonRequestSchema);
    const token = newCredential("person", random);
    const by = c.get("person").id;
    await store.addPerson({ id: personId(id), roles, tokenSha256: sha256(token), by });
    return c.json({ id, token } satisfies PersonTokenBody, 201);
  });

  routes.delete("/api/v1/people/:id", admin, async (c) => {
    const by = c.get("person").id;
    return answer(c, await store.revokePerson({ id: idOf(c), by }));
  });

  routes.put("/api/v1/people/:id/roles", admin, async (c) => {
    const id = idOf(c);
    const { roles } = await readBody(c, rolesRequestSchema);
    return answer(c, await store.changeRoles({ id, roles, by: c.get("person").id }));
  });

  routes.post("/api/v1/people/:id/token", admin, async (c) => {
    const id = idOf(c);
    const token = newCredential("person", random);
    const by = c.get("person").id;
    if (!(await store.rotateToken({ id, tokenSha256: sha256(token), by }))) return refuse(c, UNKNOWN_PERSON);
    return c.json({ id, token } satisfies PersonTokenBody, 201);
  });

  return routes;
}

const UNKNOWN_PERSON: Refusal = {
  code: "resource.not_found",
  message: "There is no such person, or they were revoked before.",
};

const LAST_ADMIN: Refusal = {
  code: "resource.conflict",
  message:
    "This is the last admin. Make another person admin first, or use the command line on the data folder.",
};

function idOf(c: Context): PersonId {
  const id = c.req.param("id") ?? "";
  if (!ID_PATTERN.test(id)) throw new RefusalError(UNKNOWN_PERSON);
  return personId(id);
}

function answer(c: Context, change: PersonChange): Response {
  switch (change) {
    case "done":
      return c.body(null, 204);
    case "unknown_person":
      return refuse(c, UNKNOWN_PERSON);
    case "last_admin":
      return refuse(c, LAST_ADMIN);
    default:
      return change satisfies never;
  }
}
