import type { Case } from "../../domain/case.ts";
import { actionDigest } from "../../domain/digest.ts";
import type { CaseRef, Sha256Hex, WriterId } from "../../domain/ids.ts";
import { covers, type KillSwitch } from "../../domain/kill-switch.ts";
import type { ReasonId } from "../../domain/reasons.ts";
import type { PolicyAnswer } from "../../policy/policy.ts";
import type { Acceptance } from "./acceptance.ts";
import type { HeldReasonId } from "./listing.ts";
import { type Plan, type Step, takeSteps, type UnknownCase, writeNothing } from "./plan.ts";

/** What the claim's transaction reads, so that no change committed before it is missed. */
export interface ClaimGuards {
  readonly killSwitches: readonly KillSwitch[];
  readonly agentEnabled: boolean;
  readonly upstreamFingerprint: Sha256Hex | null;
  /** Pin of the tool as last listed, and as accepted; null when the tool is not known. */
  readonly currentPin: Sha256Hex | null;
  readonly acceptedPin: Sha256Hex | null;
  /** Why the tool is held for more than being new; null when it is not. */
  readonly heldReasonId: HeldReasonId | null;
  /** What an admin said of the accepted definition; null when nobody said anything. */
  readonly acceptance: Pick<Acceptance, "revision" | "safeToRepeat" | "atMs"> | null;
  readonly policyVersion: string | null;
  /** Next fencing token; larger than every token given before. */
  readonly nextToken: number;
  readonly nowMs: number;
}

export interface ClaimParams {
  readonly ref: CaseRef;
  readonly writer: WriterId;
  readonly policy: PolicyAnswer;
  /** How long after the claim the engine may look whether its writer is still there. */
  readonly settleWithinMs: number;
  /** Time a human gets when the claim sends the case back to review. */
  readonly reviewForMs: number;
  /** Nonce of the new digest when the claim sends the case back to review. */
  readonly newNonce: string;
}

export type ClaimResult =
  | { readonly kind: "claimed"; readonly case: Case; readonly token: number }
  /** The policy changed since it was evaluated: evaluate and ask again. */
  | { readonly kind: "policy_outdated" }
  /** The person who approved may still undo it. */
  | { readonly kind: "too_early"; readonly case: Case }
  /** A kill switch holds it; the case stays authorized. */
  | { readonly kind: "stopped"; readonly case: Case }
  /** Not (any more) authorized; `case` says where it is now. */
  | { readonly kind: "not_claimable"; readonly case: Case }
  | UnknownCase;

/** The guard of the claim, as a pure function over what the transaction read. */
export function planClaim(current: Case | null, guards: ClaimGuards, params: ClaimParams): Plan<ClaimResult> {
  if (current === null) return writeNothing({ kind: "unknown_case", ref: params.ref });
  if (current.state !== "AUTHORIZED") return writeNothing({ kind: "not_claimable", case: current });
  if (current.runFromMs !== null && guards.nowMs < current.runFromMs)
    return writeNothing({ kind: "too_early", case: current });
  if (guards.policyVersion !== params.policy.version) return writeNothing({ kind: "policy_outdated" });
  if (guards.killSwitches.some((s) => covers(s, current)))
    return writeNothing({ kind: "stopped", case: current });

  const step = refusalStep(current, guards, params) ?? claimStep(guards, params, current);
  const writes = takeSteps({
    previous: current,
    start: current,
    steps: [step],
    nowMs: guards.nowMs,
    messages: step.name === "case.review_requested" ? ["review.requested"] : [],
  });
  return step.name === "case.claimed"
    ? { answer: { kind: "claimed", case: writes.next, token: guards.nextToken }, writes }
    : { answer: { kind: "not_claimable", case: writes.next }, writes };
}

/**
 * Whether running the tool twice does no harm. That is said of a definition: it holds only while that one is accepted, and what an
 * admin said of it goes before what configuration and assessor said.
 */
export function mayRepeat(
  guards: Pick<ClaimGuards, "acceptedPin" | "acceptance">,
  call: Pick<Case, "toolPin" | "safeToRepeat">,
): boolean {
  return guards.acceptedPin === call.toolPin && (guards.acceptance?.safeToRepeat ?? call.safeToRepeat);
}

export function claimStep(
  guards: Pick<ClaimGuards, "nextToken" | "nowMs" | "acceptedPin" | "acceptance">,
  params: Pick<ClaimParams, "writer" | "settleWithinMs">,
  call: Pick<Case, "toolPin" | "safeToRepeat">,
): Step {
  return {
    name: "case.claimed",
    actor: { kind: "dispatcher", id: params.writer },
    patch: {
      fencingToken: guards.nextToken,
      claimedBy: params.writer,
      claimedAtMs: guards.nowMs,
      dueAtMs: guards.nowMs + params.settleWithinMs,
      safeToRepeat: mayRepeat(guards, call),
    },
    details: { token: guards.nextToken },
  };
}

/** Why an authorized case may not run now; undefined when it may. */
function refusalStep(current: Case, guards: ClaimGuards, params: ClaimParams): Step | undefined {
  if (!guards.agentEnabled) {
    return end("case.denied", { kind: "policy", id: "agents" }, "agent.revoked", guards.nowMs);
  }
  if (current.runByMs !== null && guards.nowMs >= current.runByMs) {
    return end("case.expired", { kind: "engine", id: params.writer }, "run.expired", guards.nowMs);
  }
  if (params.policy.verdict === "deny") {
    return end(
      "case.denied",
      { kind: "policy", id: params.policy.ruleId ?? "policy" },
      "policy.denied",
      guards.nowMs,
    );
  }
  const reason = reviewAgainReason(current, guards, params.policy);
  return reason === undefined ? undefined : reviewAgainStep(current, guards, params, reason);
}

function reviewAgainReason(current: Case, guards: ClaimGuards, policy: PolicyAnswer): ReasonId | undefined {
  if (guards.upstreamFingerprint !== current.upstreamFingerprint) return "upstream.changed";
  if (guards.currentPin !== current.toolPin) return "tool.changed";
  if (current.authorization === "human") {
    return current.authorizedDigest === current.actionDigest ? undefined : "review.stale_digest";
  }
  // Nobody looked at this call: it may run only on the definition an admin accepted and under a policy that still lets it.
  if (guards.acceptedPin !== current.toolPin) return guards.heldReasonId ?? "tool.changed";
  if (current.authorization === "auto" && (guards.acceptance?.atMs ?? 0) > current.openedAtMs)
    return "tool.accepted_anew";
  if (policy.verdict === "review") return "policy.tightened";
  if (policy.verdict === "assess" && current.authorization === "policy") return "policy.tightened";
  return undefined;
}

function reviewAgainStep(current: Case, guards: ClaimGuards, params: ClaimParams, reasonId: ReasonId): Step {
  const toolPin = guards.currentPin ?? current.toolPin;
  const upstreamFingerprint = guards.upstreamFingerprint ?? current.upstreamFingerprint;
  const digest = actionDigest({ ...current, toolPin, upstreamFingerprint, nonce: params.newNonce });
  const reviewByMs = guards.nowMs + params.reviewForMs;
  return {
    name: "case.review_requested",
    actor: { kind: "policy", id: params.policy.ruleId ?? "claim" },
    patch: {
      toolPin,
      upstreamFingerprint,
      safeToRepeat: toolPin === current.toolPin && current.safeToRepeat,
      nonce: params.newNonce,
      actionDigest: digest,
      verdict: params.policy.verdict,
      ruleId: params.policy.ruleId,
      policyVersion: params.policy.version,
      authorization: null,
      authorizedDigest: null,
      reasonId,
      reviewByMs,
      runFromMs: null,
      runByMs: null,
      dueAtMs: reviewByMs,
      decidedBy: null,
      decidedAtMs: null,
    },
    details: { digest, tool_pin: toolPin, upstream_fingerprint: upstreamFingerprint },
  };
}

function end(
  name: "case.denied" | "case.expired",
  actor: Step["actor"],
  reasonId: ReasonId,
  nowMs: number,
): Step {
  return { name, actor, patch: { reasonId, authorization: null, dueAtMs: null, finishedAtMs: nowMs } };
}
