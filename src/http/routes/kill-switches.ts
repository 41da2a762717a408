import { type Context, Hono } from "hono";
import type { Config } from "../../config/config.ts";
import { isAgentId } from "../../domain/ids.ts";
import type { KillSwitch } from "../../domain/kill-switch.ts";
import type { Person } from "../../domain/principal.ts";
import type { GuardStore, PrincipalStore } from "../../governance/ports.ts";
import { apiPerson, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import type { CaseEvents } from "../case-events.ts";
import { isoTime } from "../case-view.ts";
import { type Refusal, RefusalError, refuse } from "../error-response.ts";
import { type KillSwitchListBody, killSwitchRequestSchema } from "../kill-switch-contract.ts";
import { readBody } from "../request-body.ts";

export interface KillSwitchRoutesDeps extends PersonGuardDeps {
  readonly store: PersonGuardDeps["store"] &
    Pick<GuardStore, "listKillSwitches" | "engageKillSwitch" | "releaseKillSwitch" | "listToolPins"> &
    Pick<PrincipalStore, "getAgent">;
  readonly config: Pick<Config, "upstreams">;
  readonly events: Pick<CaseEvents, "killSwitchesChanged">;
}

const NOT_AN_ADMIN: Refusal = {
  code: "auth.wrong_principal",
  message:
    "Only an admin engages or releases a kill switch. Everybody with a role may see which are engaged.",
};

/** `/api/v1/kill-switches`: what is stopped, read by everybody with a role and changed by admins. */
export function killSwitchRoutes(deps: KillSwitchRoutesDeps): Hono<PersonEnv> {
  const routes = new Hono<PersonEnv>();
  const person = apiPerson(deps);

  routes.get("/api/v1/kill-switches", person, async (c) => c.json(await listOf(c.get("person"), deps)));

  routes.post("/api/v1/kill-switches", person, async (c) => {
    const { by, reason, ...asked } = await readChange(c);
    // A switch on something that is not there would stop nothing, and its admin would not know.
    if (!(await exists(asked, deps))) return refuse(c, nothingThere(asked));
    await deps.store.engageKillSwitch({ ...asked, by, reason });
    await deps.events.killSwitchesChanged();
    return c.json(await listOf(c.get("person"), deps));
  });

  routes.post("/api/v1/kill-switches/release", person, async (c) => {
    const { by, reason, ...asked } = await readChange(c);
    if (!(await deps.store.releaseKillSwitch({ ...asked, by, reason }))) return refuse(c, notEngaged(asked));
    await deps.events.killSwitchesChanged();
    return c.json(await listOf(c.get("person"), deps));
  });

  return routes;
}

/** @throws RefusalError when the person is no admin, or scope and target do not belong together */
async function readChange(c: Context<PersonEnv>) {
  const { id: by, roles } = c.get("person");
  if (!roles.includes("admin")) throw new RefusalError(NOT_AN_ADMIN);
  const { scope, target, reason } = await readBody(c, killSwitchRequestSchema);
  if ((scope === "all") !== (target === undefined)) {
    const message =
      scope === "all"
        ? 'The field "target" does not go with the scope "all".'
        : 'The field "target" is missing.';
    throw new RefusalError({ code: "request.invalid", message });
  }
  return { scope, target: target ?? "*", by, reason };
}

async function listOf(person: Person, deps: KillSwitchRoutesDeps): Promise<KillSwitchListBody> {
  const engaged = await deps.store.listKillSwitches();
  return {
    kill_switches: engaged.map(({ scope, target, by, sinceMs, reason }) => ({
      scope,
      target,
      engaged_by: by,
      engaged_at: isoTime(sinceMs),
      reason,
    })),
    may_change: person.roles.includes("admin"),
  };
}

async function exists({ scope, target }: KillSwitch, deps: KillSwitchRoutesDeps): Promise<boolean> {
  switch (scope) {
    case "all":
      return true;
    case "agent":
      return isAgentId(target) && (await deps.store.getAgent(target)) !== null;
    case "upstream":
      if (deps.config.upstreams.some((upstream) => upstream.name === target)) return true;
      return (await deps.store.listToolPins()).some((tool) => tool.upstream === target);
    case "tool":
      return (await deps.store.listToolPins()).some((tool) => `${tool.upstream}/${tool.name}` === target);
    default:
      return scope satisfies never;
  }
}

function nothingThere({ scope }: KillSwitch): Refusal {
  const how = scope === "tool" ? ", written as upstream/tool" : "";
  return {
    code: "resource.not_found",
    message: `There is no such ${scope}${how}; nothing was stopped. Check the name.`,
  };
}

function notEngaged({ scope }: KillSwitch): Refusal {
  return {
    code: "resource.not_found",
    message: `No kill switch is engaged for this ${scope === "all" ? "scope" : scope}; nothing was changed.`,
  };
}
