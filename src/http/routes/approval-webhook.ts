import { Hono } from "hono";
import { isCaseRef } from "../../domain/ids.ts";
import { type RecordDecisionDeps, recordDecision } from "../../governance/record-decision.ts";
import { bearerPerson, type PersonEnv, type PersonGuardDeps } from "../auth/person-guard.ts";
import { type ApprovalResponse, approvalRequestSchema } from "../contract.ts";
import { decisionRefusal, UNKNOWN_CASE } from "../decision-answer.ts";
import { refuse } from "../error-response.ts";
import { readBody } from "../request-body.ts";

export interface ApprovalWebhookDeps extends Pick<PersonGuardDeps, "authenticate" | "store"> {
  readonly decisions: RecordDecisionDeps;
}

/** `POST /webhook/approval`: a person's decision, from a script or a portal. */
export function approvalWebhook(deps: ApprovalWebhookDeps): Hono<PersonEnv> {
  return new Hono<PersonEnv>().post("/webhook/approval", bearerPerson(deps), async (c) => {
    const body = await readBody(c, approvalRequestSchema);
    if (!isCaseRef(body.event_id)) return refuse(c, UNKNOWN_CASE);
    const result = await recordDecision(
      {
        ref: body.event_id,
        personId: c.get("person").id,
        decision: body.decision,
        digestShown: body.digest ?? null,
        reason: body.reason ?? null,
      },
      deps.decisions,
    );
    if (result.kind !== "recorded") return refuse(c, decisionRefusal(result));
    return c.json({ status: "Signal Sent", decision: body.decision } satisfies ApprovalResponse);
  });
}
