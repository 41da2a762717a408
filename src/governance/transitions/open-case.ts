import type { Assessment } from "../../domain/assessment.ts";
import { type Case, isTerminal } from "../../domain/case.ts";
import { actionDigest, joinKey, sha256 } from "../../domain/digest.ts";
import type { AgentId } from "../../domain/ids.ts";
import { covers } from "../../domain/kill-switch.ts";
import type { ReasonId } from "../../domain/reasons.ts";
import type { CatalogTool } from "../../domain/tool.ts";
import { type ClaimGuards, type ClaimParams, claimStep, mayRepeat } from "./claim.ts";
import {
  commitments,
  type Durability,
  type Payload,
  type Plan,
  type Step,
  takeSteps,
  writeNothing,
} from "./plan.ts";
import { changedSince, type Ruling, rulingStep } from "./ruling.ts";

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
  readonly ruling: FirstRuling;
  /** What configuration and assessor said; see `mayRepeat`. */
  readonly safeToRepeat: boolean;
  /** Of what an admin said of the definition, when the call was ruled on; null when nobody had said anything. */
  readonly acceptanceRevision: number | null;
  /** Nothing is held here: what would be is let through and recorded. */
  readonly observe: boolean;
  readonly runWithinMs: number;
}

/** Where a call goes first: to where a ruling sends it, or to a model that is asked before there is one. */
export type FirstRuling =
  | Ruling
  | {
      readonly to: "ASSESSING";
      readonly reasonId: "risk.assessing";
      /** When the engine looks whether somebody still works on it, counted from now. */
      readonly withinMs: number;
    };

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
  | {
      readonly kind: "opened";
      readonly case: Case;
      readonly token: number | null;
      /** What the outcome of the run needs as well. */
      readonly durability: Durability;
    }
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
  const ruling: FirstRuling = observes
    ? { to: "AUTHORIZED", authorization: "policy", reasonId: "observe.let_through" }
    : enforced;
  const observedReasonId = observes ? enforced.reasonId : null;
  const start = { ...draftCase(snapshot, params, ruling, observedReasonId), safeToRepeat };
  const runsNow = ruling.to === "AUTHORIZED";
  const steps = [openedStep(start, params)];
  if (ruling.to !== "ASSESSING") steps.push(rulingStep(params, ruling, guards.nowMs));
  if (runsNow) steps.push(claimStep(guards, params, start));
  const durability = sealing(params, guards, ruling);
  const writes = takeSteps({
    previous: null,
    start,
    durability,
    steps,
    nowMs: guards.nowMs,
    payloads: payloadsOf(params),
    messages: ruling.to === "AWAITING_REVIEW" ? ["review.requested"] : [],
  });
  return {
    answer: { kind: "opened", case: writes.next, token: runsNow ? guards.nextToken : null, durability },
    writes,
  };
}

/** Whether the commit may be light, as far as the call's own parameters say: the transaction may find that it may not. */
export function maySealLightly(params: Pick<OpenCaseParams, "ruling" | "safeToRepeat" | "observe">): boolean {
  const { ruling, safeToRepeat } = params;
  return safeToRepeat && !params.observe && ruling.to === "AUTHORIZED" && ruling.authorization === "policy";
}

/** Marked is what an operator or an admin said of the tool; what the assessor made out is no mark. */
function sealing(params: OpenCaseParams, guards: ClaimGuards, ruling: FirstRuling): Durability {
  const { pin: toolPin, safeToRepeat } = params.tool;
  const isMarked = mayRepeat(guards, { toolPin, safeToRepeat });
  return isMarked && maySealLightly({ ...params, ruling }) ? "normal" : "full";
}

/** A ruling that lets machines go on stands only on the definition that is current and accepted, at the upstream as configured. */
function checkedRuling(params: OpenCaseParams, guards: ClaimGuards): FirstRuling {
  const { ruling, tool } = params;
  const heldReasonId = guards.acceptedPin === tool.pin ? null : guards.heldReasonId;
  if (ruling.to === "AWAITING_REVIEW" && heldReasonId !== null) {
    return { to: "AWAITING_REVIEW", reasonId: heldReasonId };
  }
  if (ruling.to !== "AUTHORIZED" && ruling.to !== "ASSESSING") return ruling;
  const reasonId = changedSince({ upstreamFingerprint: tool.upstreamFingerprint, toolPin: tool.pin }, guards);
  return reasonId === undefined ? ruling : { to: "AWAITING_REVIEW", reasonId };
}

function draftCase(
  snapshot: OpenCaseSnapshot,
  params: OpenCaseParams,
  ruling: FirstRuling,
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
    dueAtMs: ruling.to === "ASSESSING" ? nowMs + ruling.withinMs : null,
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
