import { Hono } from "hono";
import type { CaseStore } from "../../governance/ports.ts";
import { type RecordDecisionDeps, recordDecision } from "../../governance/record-decision.ts";
import { type ResolveUnknownDeps, resolveUnknown } from "../../governance/resolve-unknown.ts";
import { apiPerson, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import { type CaseDetailDeps, caseBody, isoTime, readCaseDetail } from "../case-view.ts";
import {
  type CaseListBody,
  type CaseResponse,
  caseQuerySchema,
  type DecisionResponse,
  decisionRequestSchema,
  resolutionRequestSchema,
} from "../contract.ts";
import { decisionRefusal, UNKNOWN_CASE } from "../decision-answer.ts";
import { refuse } from "../error-response.ts";
import { bodyText, memberOf, readBody, readQuery, readText } from "../request-body.ts";
import { refOf } from "./case-actions.ts";

export interface CaseRoutesDeps extends PersonGuardDeps, CaseDetailDeps {
  readonly store: PersonGuardDeps["store"] &
    CaseDetailDeps["store"] &
    Pick<CaseStore, "listCases" | "countCases">;
  readonly decisions: RecordDecisionDeps & ResolveUnknownDeps;
}

/** `/api/v1/cases`: reading and deciding cases. */
export function caseRoutes(deps: CaseRoutesDeps): Hono<PersonEnv> {
  const routes = new Hono<PersonEnv>();
  const person = apiPerson(deps);

  routes.get("/api/v1/cases", person, async (c) => {
    const query = readQuery(c, caseQuerySchema);
    const [cases, counts] = await Promise.all([
      deps.store.listCases({
        ...(query.state && { states: query.state }),
        ...(query.order && { order: query.order }),
        reviewed: query.reviewed ?? false,
        limit: query.limit,
      }),
      deps.store.countCases(),
    ]);
    const body: CaseListBody = {
      cases: cases.map((one) => caseBody(one, deps.nowMs())),
      counts,
      now: isoTime(deps.nowMs()),
    };
    return c.json(body);
  });

  routes.get("/api/v1/cases/:ref", person, async (c) => {
    const detail = await readCaseDetail(refOf(c), c.get("person"), deps);
    return detail === null ? refuse(c, UNKNOWN_CASE) : c.json(detail);
  });

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
