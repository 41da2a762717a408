import { type Context, Hono } from "hono";
import { REASONS } from "../../domain/reasons.ts";
import type { GuardStore } from "../../governance/ports.ts";
import { confirmedBy, reportTool, reportTools, type ToolDetail } from "../../governance/tool-report.ts";
import { apiPerson, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import { type Refusal, RefusalError, refuse } from "../error-response.ts";
import { readBody } from "../request-body.ts";
import { acceptToolRequestSchema, type ToolListBody, type ToolResponse } from "../tool-contract.ts";
import { toolBody, toolDetailBody } from "../tool-view.ts";

export interface ToolRoutesDeps extends PersonGuardDeps {
  readonly store: PersonGuardDeps["store"] &
    Pick<GuardStore, "listToolPins" | "getDefinition" | "acceptTool">;
}

const UNKNOWN_TOOL: Refusal = { code: "resource.not_found", message: "There is no such tool." };
const NOT_AN_ADMIN: Refusal = { code: "auth.wrong_principal", message: "Only an admin may accept a tool." };
const OTHER_PIN: Refusal = {
  code: "resource.conflict",
  message: "The tool is not the one that was shown. Look at it again and accept what it is now.",
};

/** `/api/v1/tools`: what upstreams offer, and what of it an admin accepted. */
export function toolRoutes(deps: ToolRoutesDeps): Hono<PersonEnv> {
  const routes = new Hono<PersonEnv>();
  const person = apiPerson(deps);
  const { store } = deps;

  routes.get("/api/v1/tools", person, async (c) => {
    const body: ToolListBody = { tools: (await reportTools(store)).map(toolBody) };
    return c.json(body);
  });

  routes.get("/api/v1/tools/:upstream/:name", person, async (c) =>
    c.json(toolDetailBody(await toolOf(c, deps))),
  );

  routes.post("/api/v1/tools/:upstream/:name/accept", person, async (c) => {
    if (!c.get("person").roles.includes("admin")) return refuse(c, NOT_AN_ADMIN);
    const { pin, safe_to_repeat: safeToRepeat = null, ...said } = await readBody(c, acceptToolRequestSchema);
    const { upstream, name, suggested } = await toolOf(c, deps);
    if (suggested === null) return refuse(c, OTHER_PIN);
    const manifest = confirmedBy(said, suggested);
    const by = c.get("person").id;
    const result = await store.acceptTool({ upstream, name, pin, manifest, safeToRepeat, by });
    switch (result.kind) {
      case "accepted":
        return c.json({ tool: toolBody(await toolOf(c, deps)) } satisfies ToolResponse);
      case "other_pin":
        return refuse(c, OTHER_PIN);
      case "unusable":
        return refuse(c, { code: "resource.conflict", message: REASONS[result.reasonId] });
      case "unknown_tool":
        return refuse(c, UNKNOWN_TOOL);
      default:
        return result satisfies never;
    }
  });

  return routes;
}

/** @throws RefusalError `resource.not_found` */
async function toolOf(c: Context, deps: ToolRoutesDeps): Promise<ToolDetail> {
  const key = { upstream: c.req.param("upstream") ?? "", name: c.req.param("name") ?? "" };
  const tool = await reportTool(key, deps.store);
  if (tool === null) throw new RefusalError(UNKNOWN_TOOL);
  return tool;
}
