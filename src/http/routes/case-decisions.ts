import { Hono } from "hono";
import { type RecordDecisionDeps, recordDecision } from "../../governance/record-decision.ts";
import { type ResolveUnknownDeps, resolveUnknown } from "../../governance/resolve-unknown.ts";
import { apiPerson, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import { caseBody } from "../case-view.ts";
import {
  type CaseResponse,
  type DecisionResponse,
  decisionRequestSchema,
  resolutionRequestSchema,
} from "../contract.ts";
import { decisionRefusal } from "../decision-answer.ts";
import { refuse } from "../error-response.ts";
import { bodyText, memberOf, readBody, readText } from "../request-body.ts";
import { refOf } from "./case-actions.ts";

export interface CaseDecisionRoutesDeps extends PersonGuardDeps {
  readonly decisions: RecordDecisionDeps & ResolveUnknownDeps;
  readonly nowMs: () => number;
}

/** `/api/v1/cases/:ref/decision` and `/resolution`: what only an entitled reviewer says. */
export function caseDecisionRoutes(deps: CaseDecisionRoutesDeps): Hono<PersonEnv> {
  const routes = new Hono<PersonEnv>();
  const person = apiPerson(deps);

  routes.post("/api/v1/cases/:ref/decision", person, async (c) => {
    const ref = refOf(c);
    const text = await bodyText(c);
    const body = readText(text, decisionRequestSchema);
    const argumentsText = memberOf(text, "arguments");
    const result = await recordDecision(
      {
        ref,
        personId: c.get("person").id,
        decision: body.decision,
        digestShown: body.digest,
        reason: body.reason ?? null,
        ...(argumentsText !== undefined && { argumentsText }),
      },
      deps.decisions,
    );
    if (result.kind !== "recorded") return refuse(c, decisionRefusal(result));
    return c.json({
      case: caseBody(result.case, deps.nowMs()),
      repeated: result.repeated,
    } satisfies DecisionResponse);
  });

  routes.post("/api/v1/cases/:ref/resolution", person, async (c) => {
    const ref = refOf(c);
    const body = await readBody(c, resolutionRequestSchema);
    const { resolution, evidence, digest: digestShown } = body;
    const personId = c.get("person").id;
    const result = await resolveUnknown({ ref, personId, resolution, evidence, digestShown }, deps.decisions);
    if (result.kind !== "resolved") return refuse(c, decisionRefusal(result));
    return c.json({ case: caseBody(result.case, deps.nowMs()) } satisfies CaseResponse);
  });

  return routes;
}
