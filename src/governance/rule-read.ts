import type { AgentId } from "../domain/ids.ts";
import type { ReadKind } from "../domain/offer.ts";
import type { ReasonId } from "../domain/reasons.ts";
import type { Policy, PolicyAnswer, PolicyEvaluation } from "../policy/policy.ts";
import type { ReadRuling } from "./transitions/read.ts";

export interface RuleReadDeps {
  readonly policy: Pick<Policy, "evaluate">;
  /** Whether this upstream is only observed. */
  readonly isObserved: (upstream: string) => boolean;
}

export interface ReadSubject {
  readonly agentId: AgentId;
  readonly upstream: string;
  readonly kind: ReadKind;
  /** URI or template, or the prompt's name at the upstream. */
  readonly name: string;
}

/**
 * What policy says of a read: allow lets it through, everything else refuses it. No assessor scores reads and no human
 * is asked about them, so `assess` and `review` refuse, with a reason of their own.
 */
export function ruleRead(
  subject: ReadSubject,
  deps: RuleReadDeps,
): { readonly policy: PolicyAnswer; readonly ruling: ReadRuling } {
  const { evaluation, enforced } = judge(subject, deps);
  const { verdict, ruleId, version } = evaluation;
  const observed = enforced !== "policy.allowed" && (evaluation.observe || deps.isObserved(subject.upstream));
  return {
    policy: { verdict, ruleId, version },
    ruling: {
      allowed: observed || enforced === "policy.allowed",
      reasonId: observed ? "observe.let_through" : enforced,
      observedReasonId: observed ? enforced : null,
    },
  };
}

/** Whether an agent is shown what it could ask for: everything but what policy denies outright, or does not name at all. */
export function isShown(subject: ReadSubject, deps: RuleReadDeps): boolean {
  const { ruling } = ruleRead(subject, deps);
  return ruling.allowed || ruling.reasonId === "read.needs_review";
}

function judge(
  { agentId, upstream, kind, name }: ReadSubject,
  deps: RuleReadDeps,
): { readonly evaluation: PolicyEvaluation; readonly enforced: ReasonId } {
  const asked = kind === "resource" ? { resource: name } : { prompt: name };
  const evaluation = deps.policy.evaluate({ upstream, agentId, ...asked });
  return { evaluation, enforced: reasonFor(evaluation) };
}

function reasonFor({ verdict, reasonId }: PolicyEvaluation): ReasonId {
  if (verdict === "allow") return "policy.allowed";
  if (verdict === "deny") return "policy.denied";
  if (reasonId === "policy.no_rule") return "read.no_rule";
  return reasonId === "policy.error" ? "policy.error" : "read.needs_review";
}
