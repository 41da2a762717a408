import { type Context, Hono } from "hono";
import { type CaseRef, isCaseRef } from "../../domain/ids.ts";
import type { CaseStore } from "../../governance/ports.ts";
import { type RecordDecisionDeps, recordDecision } from "../../governance/record-decision.ts";
import { type ResolveUnknownDeps, resolveUnknown } from "../../governance/resolve-unknown.ts";
import { apiPerson, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import { type CaseDetailDeps, caseBody, isoTime, readCaseDetail, withdrawingKind } from "../case-view.ts";
import {
  type CaseListBody,
  type CaseResponse,
  caseQuerySchema,
  type DecisionResponse,
  decisionRequestSchema,
  resolutionRequestSchema,
} from "../contract.ts";
import { decisionRefusal, notOpen, UNKNOWN_CASE } from "../decision-answer.ts";
import { RefusalError, refuse } from "../error-response.ts";
import { bodyText, memberOf, readBody, readQuery, readText } from "../request-body.ts";

export interface CaseRoutesDeps extends PersonGuardDeps, CaseDetailDeps {
  readonly store: PersonGuardDeps["store"] &
    CaseDetailDeps["store"] &
    Pick<CaseStore, "listCases" | "countCases" | "withdraw">;
  readonly decisions: RecordDecisionDeps & ResolveUnknownDeps;
}

/** `/api/v1/cases`: reading, deciding and withdrawing cases. */
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
    const body: CaseListBody = { cases: cases.map(caseBody), counts, now: isoTime(deps.nowMs()) };
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
    return c.json({ case: caseBody(result.case), repeated: result.repeated } satisfies DecisionResponse);
  });

  routes.post("/api/v1/cases/:ref/resolution", person, async (c) => {
    const ref = refOf(c);
    const body = await readBody(c, resolutionRequestSchema);
    const { resolution, evidence, digest: digestShown } = body;
    const personId = c.get("person").id;
    const result = await resolveUnknown({ ref, personId, resolution, evidence, digestShown }, deps.decisions);
    if (result.kind !== "resolved") return refuse(c, decisionRefusal(result));
    return c.json({ case: caseBody(result.case) } satisfies CaseResponse);
  });

  routes.post("/api/v1/cases/:ref/withdraw", person, (c) => withdraw(c, deps));

  return routes;
}

function refOf(c: Context): CaseRef {
  const ref = c.req.param("ref") ?? "";
  if (!isCaseRef(ref)) throw new RefusalError(UNKNOWN_CASE);
  return ref;
}

async function withdraw(c: Context<PersonEnv>, deps: CaseRoutesDeps): Promise<Response> {
  const ref = refOf(c);
  const person = c.get("person");
  const kind = withdrawingKind(person);
  if (kind === null) {
    const message = "Only a reviewer or an admin may withdraw a case.";
    return refuse(c, { code: "review.not_entitled", message });
  }
  const result = await deps.store.withdraw({ ref, actor: { kind, id: person.id } });
  switch (result.kind) {
    case "unknown_case":
      return refuse(c, UNKNOWN_CASE);
    case "not_open":
      return refuse(c, notOpen(result.case));
    case "withdrawn":
      return c.json({ case: caseBody(result.case) } satisfies CaseResponse);
    default:
      return result satisfies never;
  }
}
