import { Hono } from "hono";
import { sha256 } from "../../domain/digest.ts";
import { agentId, ID_PATTERN, newCredential, personId, type RandomBytes } from "../../domain/ids.ts";
import type { PrincipalStore } from "../../governance/ports.ts";
import { apiAdmin, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import { isoTimeOrNull } from "../case-view.ts";
import { type AgentKeyBody, type AgentsBody, addAgentRequestSchema } from "../contract.ts";
import { refuse } from "../error-response.ts";
import { readBody } from "../request-body.ts";

export interface AgentRoutesDeps extends PersonGuardDeps {
  readonly store: PersonGuardDeps["store"] & Pick<PrincipalStore, "addAgent" | "revokeAgent" | "listAgents">;
  readonly random: RandomBytes;
}

/** `/api/v1/agents`: who may call tools. Admins only. */
export function agentRoutes(deps: AgentRoutesDeps): Hono<PersonEnv> {
  const { store, random } = deps;
  const routes = new Hono<PersonEnv>();
  const admin = apiAdmin(deps);

  routes.get("/api/v1/agents", admin, async (c) => {
    const body: AgentsBody = {
      agents: (await store.listAgents()).map(({ id, ownerId, revokedAtMs }) => ({
        id,
        owner: ownerId,
        revoked_at: isoTimeOrNull(revokedAtMs),
      })),
    };
    return c.json(body);
  });

  routes.post("/api/v1/agents", admin, async (c) => {
    const { id, owner } = await readBody(c, addAgentRequestSchema);
    const key = newCredential("agent", random);
    const by = c.get("person").id;
    await store.addAgent({ id: agentId(id), ownerId: personId(owner), keySha256: sha256(key), by });
    return c.json({ id, owner, key } satisfies AgentKeyBody, 201);
  });

  routes.delete("/api/v1/agents/:id", admin, async (c) => {
    const id = c.req.param("id") ?? "";
    const by = c.get("person").id;
    const revoked = ID_PATTERN.test(id) && (await store.revokeAgent({ id: agentId(id), by }));
    if (revoked) return c.body(null, 204);
    const message = "There is no such agent, or it was revoked before.";
    return refuse(c, { code: "resource.not_found", message });
  });

  return routes;
}
