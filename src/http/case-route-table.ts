import type { RefusalCode } from "./error-response.ts";
import { caseQuerySchema, timelineQuerySchema } from "./list-contract.ts";
import { ok, type RouteEntry, SIGNED_IN } from "./route-entry.ts";

const CASE_PATH = "/api/v1/cases/{ref}";
const ACTING: readonly RefusalCode[] = [
  ...SIGNED_IN,
  "review.not_entitled",
  "case.unknown",
  "review.not_open",
];
const DECIDING: readonly RefusalCode[] = [
  ...ACTING,
  "request.invalid",
  "review.taken",
  "review.stale_digest",
];
/** What refuses a decision that may bring arguments of its own. */
export const EDITING: readonly RefusalCode[] = [...DECIDING, "review.edit_invalid", "review.edit_denied"];

/** The routes of cases. */
export const CASE_ROUTES: readonly RouteEntry[] = [
  {
    method: "get",
    path: "/api/v1/cases",
    who: "person",
    summary: "Cases, page by page, and how many there are in each state that is no end.",
    query: caseQuerySchema,
    answers: [ok("The cases.", "CaseList")],
    refusals: [...SIGNED_IN, "request.invalid"],
  },
  {
    method: "get",
    path: "/api/v1/rule-suggestions",
    who: "person",
    summary: "Rules to paste for what people keep approving; nothing applies them by itself.",
    answers: [ok("The suggestions, the most approved first.", "RuleSuggestionList")],
    refusals: SIGNED_IN,
  },
  {
    method: "get",
    path: CASE_PATH,
    who: "person",
    summary: "One case with the exact texts that a decision is about.",
    answers: [ok("The case.", "CaseDetail")],
    refusals: [...SIGNED_IN, "case.unknown"],
  },
  {
    method: "post",
    path: `${CASE_PATH}/decision`,
    who: "person",
    summary: "Approves or rejects the case as it was shown.",
    request: "DecisionRequest",
    answers: [ok("Recorded.", "DecisionResponse")],
    refusals: EDITING,
  },
  {
    method: "post",
    path: `${CASE_PATH}/resolution`,
    who: "person",
    summary: "Says what became of a case whose outcome is unknown.",
    request: "ResolutionRequest",
    answers: [ok("Recorded.", "CaseResponse")],
    refusals: DECIDING,
  },
  {
    method: "post",
    path: `${CASE_PATH}/withdraw`,
    who: "person",
    summary: "Withdraws a case that has not begun to run.",
    answers: [ok("Withdrawn.", "CaseResponse")],
    refusals: ACTING,
  },
  {
    method: "get",
    path: `${CASE_PATH}/history`,
    who: "person",
    summary:
      "What people decided earlier of the case's tool and agent, and the last call of the tool that they approved.",
    answers: [ok("The history.", "History")],
    refusals: [...SIGNED_IN, "case.unknown"],
  },
  {
    method: "get",
    path: `${CASE_PATH}/events`,
    who: "person",
    summary: "What the ledger has of one case, oldest first: ids, states and reason ids.",
    query: timelineQuerySchema,
    answers: [ok("Its events.", "Timeline")],
    refusals: [...SIGNED_IN, "request.invalid", "case.unknown"],
  },
  {
    method: "post",
    path: `${CASE_PATH}/take`,
    who: "person",
    summary: "Says that the person works on the case; others then have to take it over before they decide.",
    request: "TakeRequest",
    answers: [ok("Theirs for a while.", "CaseResponse")],
    refusals: [...ACTING, "request.invalid", "review.taken"],
  },
  {
    method: "post",
    path: `${CASE_PATH}/release`,
    who: "person",
    summary: "Gives a taken case back; an admin does so for others.",
    answers: [ok("Nobody's.", "CaseResponse")],
    refusals: [...ACTING, "review.taken"],
  },
  {
    method: "post",
    path: `${CASE_PATH}/undo`,
    who: "person",
    summary: "Takes an approval back before the call is sent; the case ends.",
    answers: [ok("Taken back; it did not run.", "CaseResponse")],
    refusals: ACTING,
  },
];
