import type { Assessment } from "../../domain/assessment.ts";
import { type Authorization, type Case, isTerminal } from "../../domain/case.ts";
import { actionDigest, joinKey, sha256 } from "../../domain/digest.ts";
import type { AgentId } from "../../domain/ids.ts";
import { covers } from "../../domain/kill-switch.ts";
import type { Actor } from "../../domain/principal.ts";
import type { ReasonId } from "../../domain/reasons.ts";
import type { CatalogTool } from "../../domain/tool.ts";
import { type ClaimGuards, type ClaimParams, claimStep, mayRepeat } from "./claim.ts";
import { commitments, type Payload, type Plan, type Step, takeSteps, writeNothing } from "./plan.ts";

/** Where the machines send a call: what policy and the assessor decided, before anything was written. */
export type Ruling =
  | {
      readonly to: "AUTHORIZED";
      readonly authorization: Exclude<Authorization, "human">;
      readonly reasonId: ReasonId;
    }
  | { readonly to: "AWAITING_REVIEW" | "DENIED"; readonly reasonId: ReasonId };

export interface OpenCaseParams extends Omit<ClaimParams, "newNonce"> {
  readonly nonce: string;
  readonly agentId: AgentId;
  readonly tool: CatalogTool;
  readonly arguments: Payload;
  readonly meta: Payload | null;
  /** null when policy decided alone. */
  readonly assessment: { readonly value: Assessment; readonly payload: Payload } | null;
  /** Score from which the assessor pauses a call. */
  readonly threshold: number;
  readonly ruling: Ruling;
  /** What configuration and assessor said; see `mayRepeat`. */
  readonly safeToRepeat: boolean;
  /** Of what an admin said of the definition, when the call was ruled on; null when nobody had said anything. */
  readonly acceptanceRevision: number | null;
  /** Nothing is held here: what would be is let through and recorded. */
  readonly observe: boolean;
  readonly runWithinMs: number;
}

export interface OpenCaseSnapshot {
  /** A case of the same call that has not ended. */
  readonly open: Case | null;
  /** The latest case of the same call that has ended, if it ended within {@link RECENT_MS}. */
  readonly recent: Case | null;
  readonly guards: ClaimGuards;
}

/** How long an ended case is named to the agent that makes the same call again. */
export const RECENT_MS = 10 * 60_000;

export type OpenCaseResult =
  /** `token` is set when the case was claimed in the same commit and must be dispatched now. */
  | { readonly kind: "opened"; readonly case: Case; readonly token: number | null }
  | { readonly kind: "joined"; readonly case: Case }
  /** Policy, or what an admin said of the tool, changed since the call was ruled on: rule again. */
  | { readonly kind: "policy_outdated" }
  | { readonly kind: "refused"; readonly reasonId: "kill_switch.engaged" | "agent.revoked" };

/**
 * Opens the case of a call with everything the machines decided, and claims it in the same commit
 * when it may run at once: one durable write before dispatch, whatever the path.
 */
export function planOpenCase(snapshot: OpenCaseSnapshot, params: OpenCaseParams): Plan<OpenCaseResult> {
  const { guards } = snapshot;
  if (guards.policyVersion !== params.policy.version) return writeNothing({ kind: "policy_outdated" });
  if (!guards.agentEnabled) return writeNothing({ kind: "refused", reasonId: "agent.revoked" });
  const target = { upstream: params.tool.upstream, tool: params.tool.name, agentId: params.agentId };
  if (guards.killSwitches.some((s) => covers(s, target))) {
    return writeNothing({ kind: "refused", reasonId: "kill_switch.engaged" });
  }
  const isAccepted = guards.acceptedPin === params.tool.pin;
  const revision = isAccepted ? (guards.acceptance?.revision ?? null) : null;
  if (revision !== params.acceptanceRevision) return writeNothing({ kind: "policy_outdated" });
  const safeToRepeat = mayRepeat(guards, { toolPin: params.tool.pin, safeToRepeat: params.safeToRepeat });
  if (snapshot.open !== null && !isTerminal(snapshot.open.state) && !safeToRepeat) {
    return writeNothing({ kind: "joined", case: snapshot.open });
  }
  const enforced = checkedRuling(params, guards);
  const observes = params.observe && enforced.to !== "AUTHORIZED";
  const ruling: Ruling = observes
    ? { to: "AUTHORIZED", authorization: "policy", reasonId: "observe.let_through" }
    : enforced;
  const observedReasonId = observes ? enforced.reasonId : null;
  const start = { ...draftCase(snapshot, params, ruling, observedReasonId), safeToRepeat };
  const runsNow = ruling.to === "AUTHORIZED";
  const steps = [openedStep(start, params), rulingStep(params, ruling, guards.nowMs)];
  if (runsNow) steps.push(claimStep(guards, params, start));
  const writes = takeSteps({
    previous: null,
    start,
    steps,
    nowMs: guards.nowMs,
    payloads: payloadsOf(params),
    messages: ruling.to === "AWAITING_REVIEW" ? ["review.requested"] : [],
  });
  return { answer: { kind: "opened", case: writes.next, token: runsNow ? guards.nextToken : null }, writes };
}

/** A ruling to run stands only on the definition that is current and accepted, at the upstream as configured. */
function checkedRuling(params: OpenCaseParams, guards: ClaimGuards): Ruling {
  const heldReasonId = guards.acceptedPin === params.tool.pin ? null : guards.heldReasonId;
  if (params.ruling.to === "AWAITING_REVIEW" && heldReasonId !== null) {
    return { to: "AWAITING_REVIEW", reasonId: heldReasonId };
  }
  if (params.ruling.to !== "AUTHORIZED") return params.ruling;
  if (guards.upstreamFingerprint !== params.tool.upstreamFingerprint) {
    return { to: "AWAITING_REVIEW", reasonId: "upstream.changed" };
  }
  if (guards.currentPin === params.tool.pin && guards.acceptedPin === null) {
    return { to: "AWAITING_REVIEW", reasonId: guards.heldReasonId ?? "tool.new" };
  }
  if (guards.currentPin !== params.tool.pin || guards.acceptedPin !== params.tool.pin) {
    return { to: "AWAITING_REVIEW", reasonId: "tool.changed" };
  }
  return params.ruling;
}

function draftCase(
  snapshot: OpenCaseSnapshot,
  params: OpenCaseParams,
  ruling: Ruling,
  observedReasonId: ReasonId | null,
): Omit<Case, "safeToRepeat"> {
  const { tool, assessment, policy } = params;
  const { nowMs } = snapshot.guards;
  const bound = {
    nonce: params.nonce,
    agentId: params.agentId,
    upstream: tool.upstream,
    upstreamFingerprint: tool.upstreamFingerprint,
    tool: tool.name,
    toolPin: tool.pin,
    argumentsSha256: sha256(params.arguments.text),
    metaSha256: params.meta === null ? null : sha256(params.meta.text),
  };
  return {
    ...bound,
    ref: params.ref,
    state: "ASSESSING",
    revision: 0,
    exposedName: tool.exposedName,
    joinKey: joinKey(bound),
    actionDigest: actionDigest(bound),
    verdict: policy.verdict,
    ruleId: policy.ruleId,
    policyVersion: policy.version,
    riskScore: assessment?.value.risk_score ?? null,
    classification: assessment?.value.classification ?? null,
    assessor: assessment?.value.assessor ?? null,
    authorization: null,
    authorizedDigest: null,
    reasonId: ruling.reasonId,
    observedReasonId,
    openedAtMs: nowMs,
    updatedAtMs: nowMs,
    reviewByMs: null,
    runFromMs: null,
    runByMs: null,
    dueAtMs: null,
    takenBy: null,
    takenUntilMs: null,
    decidedBy: null,
    decidedAtMs: null,
    fencingToken: null,
    claimedBy: null,
    claimedAtMs: null,
    attempts: 0,
    finishedAtMs: null,
    identicalTo: snapshot.recent?.ref ?? null,
    reportedAtMs: null,
    textsErasedAtMs: null,
    resultErasedAtMs: null,
  };
}

function openedStep(start: Case, params: OpenCaseParams): Step {
  return {
    name: "case.opened",
    actor: { kind: "agent", id: params.agentId },
    patch: {},
    details: {
      upstream: start.upstream,
      upstream_fingerprint: start.upstreamFingerprint,
      tool: start.tool,
      tool_pin: start.toolPin,
      digest: start.actionDigest,
      identical_to: start.identicalTo ?? undefined,
      observed: start.observedReasonId ?? undefined,
      commitments: commitments(payloadsOf(params)),
    },
  };
}

function payloadsOf(params: OpenCaseParams): Payload[] {
  return [params.arguments, params.meta, params.assessment?.payload].filter(
    (p): p is Payload => p !== null && p !== undefined,
  );
}

function rulingStep(params: OpenCaseParams, ruling: Ruling, nowMs: number): Step {
  const details = {
    policy_version: params.policy.version,
    rule: params.policy.ruleId,
    verdict: params.policy.verdict,
    risk_score: params.assessment?.value.risk_score,
    threshold: params.assessment === null ? undefined : params.threshold,
    assessor: params.assessment?.value.assessor,
  };
  const actor = rulingActor(params, ruling);
  switch (ruling.to) {
    case "AUTHORIZED": {
      const runByMs = nowMs + params.runWithinMs;
      const note = autoApprovalNote(params.assessment?.value, ruling.authorization);
      return {
        name: "case.authorized",
        actor,
        patch: { authorization: ruling.authorization, runByMs, dueAtMs: nowMs },
        details: { ...details, authorization: ruling.authorization, note },
      };
    }
    case "AWAITING_REVIEW": {
      const reviewByMs = nowMs + params.reviewForMs;
      return {
        name: "case.review_requested",
        actor,
        patch: { reviewByMs, dueAtMs: reviewByMs },
        details: { ...details, review_by: new Date(reviewByMs).toISOString() },
      };
    }
    case "DENIED":
      return { name: "case.denied", actor, patch: { finishedAtMs: nowMs }, details };
    default:
      return ruling satisfies never;
  }
}

function rulingActor(params: OpenCaseParams, ruling: Ruling): Actor {
  const byAssessor = ruling.reasonId.startsWith("risk.") && params.assessment !== null;
  return byAssessor
    ? { kind: "assessor", id: params.assessment.value.assessor }
    : { kind: "policy", id: params.policy.ruleId ?? "policy" };
}

/** The sentence of the wire contract for a call that only the assessor let through. */
function autoApprovalNote(
  assessment: Assessment | undefined,
  authorization: Authorization,
): string | undefined {
  if (authorization !== "auto" || assessment === undefined) return undefined;
  return `Auto-approved based on Risk Score [${assessment.risk_score}] per Article 14 Compliance.`;
}
