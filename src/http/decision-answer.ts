import type { Case } from "../domain/case.ts";
import { REASONS } from "../domain/reasons.ts";
import type { RecordedDecision } from "../governance/record-decision.ts";
import type { ResolutionResult } from "../governance/transitions/resolution.ts";
import type { Refusal } from "./error-response.ts";

/** Why a person may not do to a case what they asked. */
export const NOT_ENTITLED = {
  not_a_reviewer: "This person is not a reviewer, so they may not decide cases.",
  owns_the_agent: "This person owns the agent that made the call, so somebody else must decide.",
} as const;

/** Why a decision was not recorded, as people read it. */
export function decisionRefusal(
  result: Exclude<RecordedDecision | ResolutionResult, { kind: "recorded" | "resolved" }>,
): Refusal {
  switch (result.kind) {
    case "unknown_case":
      return UNKNOWN_CASE;
    case "not_entitled":
      return { code: "review.not_entitled", message: NOT_ENTITLED[result.because] };
    case "not_open":
      return notOpen(result.case);
    case "stale_digest":
      return {
        code: "review.stale_digest",
        message: REASONS["review.stale_digest"],
        state: result.case.state,
      };
    case "taken_by_another":
      return takenByAnother(result.case);
    case "edit_invalid":
      return {
        code: "review.edit_invalid",
        message: `The field "arguments" cannot be taken: ${result.detail}.`,
      };
    case "edit_denied":
      return { code: "review.edit_denied", message: REASONS["review.edit_denied"], state: result.case.state };
    default:
      return result satisfies never;
  }
}

export const UNKNOWN_CASE: Refusal = { code: "case.unknown", message: REASONS["case.unknown"] };

/** The case is not in a state that allows what was asked, with the state that stands. */
export function notOpen(current: Case): Refusal {
  const message = `Case ${current.ref} is ${current.state}. ${STANDING[current.state]}`;
  return { code: "review.not_open", message, state: current.state };
}

/** Another reviewer has it: who, until when, and how to decide all the same. */
export function takenByAnother(current: Case): Refusal {
  const [by, until] = [current.takenBy ?? "", new Date(current.takenUntilMs ?? 0).toISOString()];
  const message = `${by} has taken case ${current.ref} until ${until}. Leave it to them, or take it over first; nothing was changed.`;
  return { code: "review.taken", message, state: current.state, taken: { by, until } };
}

const STANDING: Readonly<Record<Case["state"], string>> = {
  ASSESSING: "It is still being assessed; try again when it waits for a decision.",
  AWAITING_REVIEW: "It waits for a decision: approve or reject it.",
  AUTHORIZED: "It may run already; nothing was changed.",
  EXECUTING: "It is running; nothing was changed.",
  UNKNOWN: "It may have run; somebody must find out. Nothing was changed.",
  SUCCEEDED: "It ran; nothing was changed.",
  FAILED: "It ran or was tried, and failed; nothing was changed.",
  DENIED: "Policy denied it; nothing was changed.",
  REJECTED: "It was rejected before; nothing was changed.",
  EXPIRED: "Its deadline passed; nothing was changed.",
  CANCELLED: "It was withdrawn; nothing was changed.",
};
