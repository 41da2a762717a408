import { type Case, findTransition, holderOf } from "../domain/case.ts";
import type { CaseRef } from "../domain/ids.ts";
import type { Person } from "../domain/principal.ts";
import { REASONS } from "../domain/reasons.ts";
import type { CaseStore, GuardStore, PrincipalStore } from "../governance/ports.ts";
import { type RuleSuggestion, type SuggestRuleDeps, suggestRules } from "../governance/suggest-rule.ts";
import { readToolOfCase } from "../governance/tool-of-case.ts";
import type { CaseBody, CaseDetailBody, RuleSuggestionBody } from "./contract.ts";
import { diffBody, manifestBody } from "./manifest-view.ts";

/** A case as people read it at this moment. */
export function caseBody(current: Case, nowMs: number): CaseBody {
  const takenBy = holderOf(current, nowMs);
  return {
    ref: current.ref,
    state: current.state,
    revision: current.revision,
    agent: current.agentId,
    upstream: current.upstream,
    tool: current.tool,
    exposed_name: current.exposedName,
    verdict: current.verdict,
    rule: current.ruleId,
    risk_score: current.riskScore,
    classification: current.classification,
    digest: current.actionDigest,
    authorization: current.authorization,
    reason_id: current.reasonId,
    reason: REASONS[current.reasonId],
    opened_at: isoTime(current.openedAtMs),
    updated_at: isoTime(current.updatedAtMs),
    review_by: isoTimeOrNull(current.reviewByMs),
    run_from: isoTimeOrNull(current.runFromMs),
    run_by: isoTimeOrNull(current.runByMs),
    taken_by: takenBy,
    taken_until: takenBy === null ? null : isoTimeOrNull(current.takenUntilMs),
    decided_by: current.decidedBy,
    decided_at: isoTimeOrNull(current.decidedAtMs),
    finished_at: isoTimeOrNull(current.finishedAtMs),
    identical_to: current.identicalTo,
    observed: current.observedReasonId,
  };
}

export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

export function isoTimeOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : isoTime(epochMs);
}

export interface CaseDetailDeps {
  readonly store: Pick<CaseStore, "getCase" | "getPayload"> &
    Pick<GuardStore, "acceptedPins" | "acceptanceOf" | "getDefinition"> &
    Pick<PrincipalStore, "getAgent">;
  /** What rules for repeated approvals are suggested with. */
  readonly suggesting: SuggestRuleDeps;
  readonly singleOperator: boolean;
  readonly nowMs: () => number;
}

/** Everything a reviewer needs to decide, as it is in one revision of the case; null when there is no such case. */
export async function readCaseDetail(
  ref: CaseRef,
  person: Person,
  deps: CaseDetailDeps,
): Promise<CaseDetailBody | null> {
  const { store } = deps;
  const current = await store.getCase(ref);
  if (current === null) return null;
  const [text, meta, tool, assessment, reason, result, resolution, agent, [suggested]] = await Promise.all([
    store.getPayload(ref, "arguments"),
    store.getPayload(ref, "meta"),
    readToolOfCase(current, store),
    store.getPayload(ref, "assessment"),
    store.getPayload(ref, "reason"),
    store.getPayload(ref, "result"),
    store.getPayload(ref, "resolution"),
    store.getAgent(current.agentId),
    suggestRules(current, deps.suggesting),
  ]);
  const ownsAgent = (agent === null || agent.ownerId === person.id) && !deps.singleOperator;
  return {
    case: caseBody(current, deps.nowMs()),
    owner: agent?.ownerId ?? null,
    arguments: text,
    arguments_sha256: current.argumentsSha256,
    meta,
    definition: {
      text: tool.definition === null ? null : JSON.stringify(tool.definition),
      pin: current.toolPin,
      state: tool.state,
      diff: diffBody(tool.changes),
    },
    manifest: tool.manifest === null ? null : { ...manifestBody(tool.manifest), confirmed: tool.confirmed },
    assessment: assessment === null ? null : JSON.parse(assessment),
    decision_reason: reason,
    result,
    resolution,
    erased: {
      texts: isoTimeOrNull(current.textsErasedAtMs),
      result: isoTimeOrNull(current.resultErasedAtMs),
    },
    suggestion: suggested === undefined ? null : suggestionBody(suggested),
    permissions: permissionsOf(current, person, { ownsAgent, nowMs: deps.nowMs() }),
    now: isoTime(deps.nowMs()),
  };
}

/** A rule to paste, as people read it. */
export function suggestionBody(suggested: RuleSuggestion): RuleSuggestionBody {
  return {
    agent: suggested.agentId,
    upstream: suggested.upstream,
    tool: suggested.tool,
    pin: suggested.toolPin,
    approvals: suggested.approvals,
    highest_score: suggested.highestScore,
    refs: [...suggested.refs],
    warnings: [...suggested.warnings],
    yaml: suggested.yaml,
  };
}

/** What the console offers. The use cases decide again, by what their transaction reads. */
function permissionsOf(
  current: Case,
  person: Person,
  { ownsAgent, nowMs }: { readonly ownsAgent: boolean; readonly nowMs: number },
): CaseDetailBody["permissions"] {
  const asks = current.state === "AWAITING_REVIEW" || current.state === "UNKNOWN";
  const refusal = entitlementRefusal(person, ownsAgent);
  const holder = holderOf(current, nowMs);
  const isFree = holder === null || holder === person.id;
  const isAdmin = person.roles.includes("admin");
  return {
    decide: current.state === "AWAITING_REVIEW" && refusal === null && isFree,
    resolve: current.state === "UNKNOWN" && refusal === null && isFree,
    because: asks ? (refusal ?? (isFree ? null : "taken")) : null,
    take: asks && refusal === null && holder !== person.id,
    release: asks && holder !== null && (holder === person.id || isAdmin),
    undo:
      current.state === "AUTHORIZED" &&
      current.authorization === "human" &&
      (current.decidedBy === person.id || isAdmin),
    withdraw: canWithdraw(current, person),
  };
}

function entitlementRefusal(person: Person, ownsAgent: boolean): CaseDetailBody["permissions"]["because"] {
  if (!person.roles.includes("reviewer")) return "not_a_reviewer";
  return ownsAgent ? "owns_the_agent" : null;
}

/** An admin withdraws as admin, a reviewer as reviewer; an auditor does not. */
export function withdrawingKind(person: Person): "admin" | "reviewer" | null {
  if (person.roles.includes("admin")) return "admin";
  return person.roles.includes("reviewer") ? "reviewer" : null;
}

export function canWithdraw(current: Case, person: Person): boolean {
  const kind = withdrawingKind(person);
  return kind !== null && findTransition("case.cancelled", current.state, kind) !== undefined;
}
