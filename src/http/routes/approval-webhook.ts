import { type Context, Hono } from "hono";
import type { Config } from "../../config/config.ts";
import { isCaseRef } from "../../domain/ids.ts";
import type { Person } from "../../domain/principal.ts";
import type { PrincipalStore } from "../../governance/ports.ts";
import { type RecordDecisionDeps, recordDecision } from "../../governance/record-decision.ts";
import { type PersonGuardDeps, personOfBearer } from "../auth/person-guard.ts";
import { isPortalRequest, portalOf, portalReviewer } from "../auth/portal.ts";
import { type ApprovalRequest, type ApprovalResponse, approvalRequestSchema } from "../contract.ts";
import { decisionRefusal, UNKNOWN_CASE } from "../decision-answer.ts";
import { RefusalError, refuse } from "../error-response.ts";
import { bodyText, memberOf, readText } from "../request-body.ts";

export interface ApprovalWebhookDeps extends Pick<PersonGuardDeps, "authenticate"> {
  readonly store: Pick<PrincipalStore, "listPeople">;
  readonly decisions: RecordDecisionDeps;
  readonly config: Pick<Config, "portals">;
}

/** `POST /webhook/approval`: a person's decision, with their own token or passed on by a portal. */
export function approvalWebhook(deps: ApprovalWebhookDeps): Hono {
  return new Hono().post("/webhook/approval", async (c) => {
    const { person, body, argumentsText, via } = isPortalRequest(c.req.raw.headers)
      ? await byPortal(c, deps)
      : await byPerson(c, deps);
    if (!isCaseRef(body.event_id)) return refuse(c, UNKNOWN_CASE);
    const result = await recordDecision(
      {
        ref: body.event_id,
        personId: person.id,
        decision: body.decision,
        digestShown: body.digest ?? null,
        reason: body.reason ?? null,
        ...(argumentsText !== undefined && { argumentsText }),
        ...(via !== undefined && { via }),
      },
      deps.decisions,
    );
    if (result.kind !== "recorded") return refuse(c, decisionRefusal(result));
    return c.json({ status: "Signal Sent", decision: body.decision } satisfies ApprovalResponse);
  });
}

interface Submission {
  readonly person: Person;
  readonly body: ApprovalRequest;
  /** Text of the body's `arguments`. */
  readonly argumentsText: string | undefined;
  /** Name of the portal, if one passed it on. */
  readonly via?: string;
}

async function byPerson(c: Context, deps: ApprovalWebhookDeps): Promise<Submission> {
  const person = await personOfBearer(c, deps.authenticate);
  const text = await bodyText(c);
  const body = readText(text, approvalRequestSchema);
  if (body.reviewer === undefined) return { person, body, argumentsText: memberOf(text, "arguments") };
  throw new RefusalError({
    code: "request.invalid",
    message: 'The field "reviewer" is for portals; with a token of your own you decide as yourself.',
  });
}

async function byPortal(c: Context, deps: ApprovalWebhookDeps): Promise<Submission> {
  const text = await bodyText(c);
  const portal = portalOf(deps.config.portals, c.req.raw.headers, text);
  const body = readText(text, approvalRequestSchema);
  if (body.reviewer === undefined) {
    throw new RefusalError({
      code: "request.invalid",
      message: 'The field "reviewer" is missing: a portal names whose decision it is.',
    });
  }
  const person = await portalReviewer(portal, body.reviewer, deps.store);
  return { person, body, argumentsText: memberOf(text, "arguments"), via: portal.name };
}
