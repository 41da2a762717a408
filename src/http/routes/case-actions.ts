import { type Context, Hono } from "hono";
import type { Case } from "../../domain/case.ts";
import { type CaseRef, isCaseRef } from "../../domain/ids.ts";
import type { CaseStore } from "../../governance/ports.ts";
import { apiPerson, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import { caseBody, withdrawingKind } from "../case-view.ts";
import { type CaseResponse, takeRequestSchema } from "../contract.ts";
import { NOT_ENTITLED, notOpen, takenByAnother, UNKNOWN_CASE } from "../decision-answer.ts";
import { type Refusal, RefusalError, refuse } from "../error-response.ts";
import { bodyText, readText } from "../request-body.ts";

export interface CaseActionRoutesDeps extends PersonGuardDeps {
  readonly store: PersonGuardDeps["store"] &
    Pick<CaseStore, "takeReview" | "releaseReview" | "undo" | "withdraw">;
  readonly takeForMs: number;
  readonly singleOperator: boolean;
  readonly nowMs: () => number;
}

/** `/api/v1/cases/:ref/…`: what a person does to a case beside deciding it. */
export function caseActionRoutes(deps: CaseActionRoutesDeps): Hono<PersonEnv> {
  const routes = new Hono<PersonEnv>();
  const person = apiPerson(deps);
  const { store } = deps;
  const answer = (c: Context, result: ActionResult) =>
    "done" in result
      ? c.json({ case: caseBody(result.done, deps.nowMs()) } satisfies CaseResponse)
      : refuse(c, result.refusal);

  routes.post("/api/v1/cases/:ref/take", person, async (c) => {
    const text = await bodyText(c);
    const { take_over: takeOver } = readText(text === "" ? "{}" : text, takeRequestSchema);
    const personId = c.get("person").id;
    const { takeForMs, singleOperator } = deps;
    const result = await store.takeReview({ ref: refOf(c), personId, takeForMs, takeOver, singleOperator });
    return answer(c, result.kind === "taken" ? { done: result.case } : { refusal: refusalOf(result) });
  });

  routes.post("/api/v1/cases/:ref/release", person, async (c) => {
    const result = await store.releaseReview({ ref: refOf(c), personId: c.get("person").id });
    return answer(c, result.kind === "released" ? { done: result.case } : { refusal: refusalOf(result) });
  });

  routes.post("/api/v1/cases/:ref/undo", person, async (c) => {
    const result = await store.undo({ ref: refOf(c), personId: c.get("person").id });
    return answer(c, result.kind === "undone" ? { done: result.case } : { refusal: refusalOf(result) });
  });

  routes.post("/api/v1/cases/:ref/withdraw", person, async (c) => {
    const kind = withdrawingKind(c.get("person"));
    if (kind === null) return refuse(c, NOT_WITHDRAWING);
    const result = await store.withdraw({ ref: refOf(c), actor: { kind, id: c.get("person").id } });
    return answer(c, result.kind === "withdrawn" ? { done: result.case } : { refusal: refusalOf(result) });
  });

  return routes;
}

type ActionResult = { readonly done: Case } | { readonly refusal: Refusal };

/** @throws RefusalError `case.unknown` for what cannot be a reference */
export function refOf(c: Context): CaseRef {
  const ref = c.req.param("ref") ?? "";
  if (!isCaseRef(ref)) throw new RefusalError(UNKNOWN_CASE);
  return ref;
}

const NOT_WITHDRAWING: Refusal = {
  code: "review.not_entitled",
  message: "Only a reviewer or an admin may withdraw a case.",
};

const NOT_UNDOING: Refusal = {
  code: "review.not_entitled",
  message: "Only the person who approved it, or an admin, may take an approval back.",
};

type ActionRefusal =
  | { readonly kind: "unknown_case" }
  | { readonly kind: "not_entitled"; readonly because: keyof typeof NOT_ENTITLED }
  | { readonly kind: "not_the_approver" }
  | { readonly kind: "not_open" | "taken_by_another"; readonly case: Case };

function refusalOf(result: ActionRefusal): Refusal {
  switch (result.kind) {
    case "unknown_case":
      return UNKNOWN_CASE;
    case "not_entitled":
      return { code: "review.not_entitled", message: NOT_ENTITLED[result.because] };
    case "not_the_approver":
      return NOT_UNDOING;
    case "not_open":
      return notOpen(result.case);
    case "taken_by_another":
      return takenByAnother(result.case);
    default:
      return result satisfies never;
  }
}
