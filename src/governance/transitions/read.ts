import type { Verdict } from "../../domain/assessment.ts";
import type { AgentId, Sha256Hex } from "../../domain/ids.ts";
import { covers, type KillSwitch } from "../../domain/kill-switch.ts";
import type { ReadKind, ReadMethod } from "../../domain/offer.ts";
import type { ReasonId } from "../../domain/reasons.ts";
import type { LedgerEntry } from "../../ledger/event.ts";
import type { PolicyAnswer } from "../../policy/policy.ts";

/** What the machines say of a read. There is nobody to ask: a read is let through or refused. */
export interface ReadRuling {
  readonly allowed: boolean;
  readonly reasonId: ReasonId;
  /** Why it would have been refused, where the gateway only observes. */
  readonly observedReasonId: ReasonId | null;
}

export interface ReadParams {
  /** Joins the events of one read; random. */
  readonly readId: string;
  readonly agentId: AgentId;
  readonly method: ReadMethod;
  readonly kind: ReadKind;
  /** SHA-256 of the URI, template or prompt name as the agent sent it. */
  readonly subjectSha256: Sha256Hex;
  /** Where it leads and what policy said of it; null when it leads nowhere. */
  readonly ruled: { readonly upstream: string; readonly policy: PolicyAnswer } | null;
  readonly ruling: ReadRuling;
}

export interface ReadGuards {
  readonly agentEnabled: boolean;
  readonly killSwitches: readonly KillSwitch[];
  readonly policyVersion: string | null;
}

export type ReadResult =
  | { readonly kind: "allowed" }
  | { readonly kind: "refused"; readonly reasonId: ReasonId }
  /** Nothing was written: rule again by the policy in force. */
  | { readonly kind: "policy_outdated" };

export interface ReadAnswerParams {
  readonly readId: string;
  readonly agentId: AgentId;
  readonly upstream: string;
  readonly reasonId: ReasonId;
  /** SHA-256 of the upstream's answer; null when there was none. */
  readonly resultSha256: Sha256Hex | null;
}

export interface ReadPlan {
  readonly answer: ReadResult;
  readonly event: LedgerEntry | null;
}

/** Lets a read through only while nothing that was committed before forbids it. */
export function planRead(guards: ReadGuards, params: ReadParams): ReadPlan {
  const { ruled, ruling } = params;
  if (!guards.agentEnabled) return refuse(params, "agent.revoked");
  if (ruled === null || !ruling.allowed) return refuse(params, ruling.reasonId);
  if (guards.policyVersion !== ruled.policy.version)
    return { answer: { kind: "policy_outdated" }, event: null };
  const target = { upstream: ruled.upstream, tool: null, agentId: params.agentId };
  if (guards.killSwitches.some((s) => covers(s, target))) return refuse(params, "kill_switch.engaged");
  return { answer: { kind: "allowed" }, event: readEvent("read.allowed", params, ruling.reasonId) };
}

function refuse(params: ReadParams, reasonId: ReasonId): ReadPlan {
  return { answer: { kind: "refused", reasonId }, event: readEvent("read.refused", params, reasonId) };
}

function readEvent(type: string, params: ReadParams, reasonId: ReasonId): LedgerEntry {
  const verdict: Verdict | undefined = params.ruled?.policy.verdict;
  return {
    type,
    actor: { kind: "agent", id: params.agentId },
    details: {
      read: params.readId,
      method: params.method,
      kind: params.kind,
      subject_sha256: params.subjectSha256,
      upstream: params.ruled?.upstream,
      reason: reasonId,
      policy_version: params.ruled?.policy.version,
      rule: params.ruled?.policy.ruleId,
      verdict,
      observed: params.ruling.observedReasonId ?? undefined,
    },
  };
}

/** The event that closes a read: what the upstream answered, as a hash. */
export function readAnswerEvent(params: ReadAnswerParams): LedgerEntry {
  return {
    type: "read.answered",
    actor: { kind: "agent", id: params.agentId },
    details: {
      read: params.readId,
      upstream: params.upstream,
      reason: params.reasonId,
      result_sha256: params.resultSha256,
    },
  };
}
