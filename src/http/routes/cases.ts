import { Hono } from "hono";
import { positionOf } from "../../domain/case-order.ts";
import { agentId, personId } from "../../domain/ids.ts";
import type { CaseFilter, CaseStore } from "../../governance/ports.ts";
import { suggestRules } from "../../governance/suggest-rule.ts";
import { apiPerson, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import { type HistoryDeps, readHistory } from "../case-history.ts";
import { type CaseDetailDeps, caseBody, isoTime, readCaseDetail, suggestionBody } from "../case-view.ts";
import { type CaseListBody, OPEN_STATES, type RuleSuggestionListBody } from "../contract.ts";
import { caseCursor, idCursor, readCaseCursor, readIdCursor } from "../cursor.ts";
import { UNKNOWN_CASE } from "../decision-answer.ts";
import { refuse } from "../error-response.ts";
import { type CaseQuery, caseQuerySchema, type TimelineBody, timelineQuerySchema } from "../list-contract.ts";
import { readQuery } from "../request-body.ts";
import { refOf } from "./case-actions.ts";

export interface CaseRoutesDeps extends PersonGuardDeps, CaseDetailDeps {
  readonly store: PersonGuardDeps["store"] &
    CaseDetailDeps["store"] &
    HistoryDeps["store"] &
    Pick<CaseStore, "listCases" | "countCases" | "caseTimeline">;
}

/** `/api/v1/cases`: reading cases. */
export function caseRoutes(deps: CaseRoutesDeps): Hono<PersonEnv> {
  const routes = new Hono<PersonEnv>();
  const person = apiPerson(deps);
  const { store } = deps;

  routes.get("/api/v1/cases", person, async (c) => {
    const query = readQuery(c, caseQuerySchema);
    // One more than asked for says whether there is a next page.
    const [found, counts] = await Promise.all([
      store.listCases({ ...filterOf(query), limit: query.limit + 1 }),
      store.countCases(OPEN_STATES),
    ]);
    const cases = found.slice(0, query.limit);
    const last = found.length > cases.length ? cases.at(-1) : undefined;
    const nowMs = deps.nowMs();
    const body: CaseListBody = {
      cases: cases.map((one) => caseBody(one, nowMs)),
      next: last === undefined ? null : caseCursor(query.order, positionOf(last, query.order)),
      counts: {
        ASSESSING: counts.ASSESSING,
        AWAITING_REVIEW: counts.AWAITING_REVIEW,
        AUTHORIZED: counts.AUTHORIZED,
        EXECUTING: counts.EXECUTING,
        UNKNOWN: counts.UNKNOWN,
      },
      now: isoTime(nowMs),
    };
    return c.json(body);
  });

  routes.get("/api/v1/rule-suggestions", person, async (c) => {
    const suggestions = (await suggestRules(null, deps.suggesting)).map(suggestionBody);
    return c.json({ suggestions } satisfies RuleSuggestionListBody);
  });

  routes.get("/api/v1/cases/:ref", person, async (c) => {
    const detail = await readCaseDetail(refOf(c), c.get("person"), deps);
    return detail === null ? refuse(c, UNKNOWN_CASE) : c.json(detail);
  });

  routes.get("/api/v1/cases/:ref/history", person, async (c) => {
    const history = await readHistory(refOf(c), deps);
    return history === null ? refuse(c, UNKNOWN_CASE) : c.json(history);
  });

  routes.get("/api/v1/cases/:ref/events", person, async (c) => {
    const ref = refOf(c);
    const { after, limit } = readQuery(c, timelineQuerySchema);
    const afterId = after === undefined ? 0 : readIdCursor(after);
    const found = await store.caseTimeline({ ref, afterId, limit: limit + 1 });
    // A case has events from its first commit on.
    if (found.length === 0 && (await store.getCase(ref)) === null) return refuse(c, UNKNOWN_CASE);
    const shown = found.slice(0, limit);
    const last = found.length > shown.length ? shown.at(-1) : undefined;
    const body: TimelineBody = {
      events: shown.map(({ id: _id, reasonId, ...event }) => ({ ...event, reason_id: reasonId })),
      next: last === undefined ? null : idCursor(last.id),
    };
    return c.json(body);
  });

  return routes;
}

function filterOf(query: CaseQuery): Omit<CaseFilter, "limit"> {
  const { agent, taken_by: takenBy, opened_after: from, opened_before: before, after, order } = query;
  return {
    ...(query.state && { states: query.state }),
    ...(agent !== undefined && { agentId: agentId(agent) }),
    ...(query.upstream !== undefined && { upstream: query.upstream }),
    ...(query.tool !== undefined && { tool: query.tool }),
    ...(query.rule !== undefined && { ruleId: query.rule }),
    ...(query.reason_id !== undefined && { reasonId: query.reason_id }),
    ...(query.min_score !== undefined && { minScore: query.min_score }),
    ...(from !== undefined && { openedAfterMs: Date.parse(from) }),
    ...(before !== undefined && { openedBeforeMs: Date.parse(before) }),
    ...(takenBy !== undefined && { takenBy: personId(takenBy) }),
    ...(query.search !== undefined && { search: query.search }),
    ...(query.ref !== undefined && { refPrefix: query.ref }),
    ...(after !== undefined && { after: readCaseCursor(after, order) }),
    reviewed: query.reviewed ?? false,
    order,
  };
}
