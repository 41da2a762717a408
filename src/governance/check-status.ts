import { type Case, isTerminal } from "../domain/case.ts";
import { type DefinitionChange, diffValues } from "../domain/definition-diff.ts";
import type { AgentId, CaseRef } from "../domain/ids.ts";
import { isSettled, watchCase } from "./case-watch.ts";
import type { CaseStore } from "./ports.ts";

/** Longest wait of one `check_status` call; most clients give up at 30 s or 60 s. */
export const MAX_STATUS_WAIT_MS = 25_000;

/** A case with what its agent may read. */
export interface CaseReport {
  readonly case: Case;
  /** Kept answer of the upstream as `{result}` or `{error}` text; null when there is none. */
  readonly resultText: string | null;
  /** What the reviewer wrote; null for nothing. */
  readonly reason: string | null;
  /** The arguments as a reviewer changed them; null when they are the agent's own. */
  readonly editedText: string | null;
  /** Members of the arguments that a reviewer changed, added or removed, as JSON pointers; empty when none. */
  readonly editedMembers: readonly EditedMember[];
}

export type EditedMember = Pick<DefinitionChange, "pointer" | "kind">;

export interface CheckStatusParams {
  readonly agentId: AgentId;
  readonly ref: CaseRef;
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

/** How one case of the agent stands, after waiting for news if asked to; null when the agent has no such case. */
export async function checkStatus(params: CheckStatusParams, store: CaseStore): Promise<CaseReport | null> {
  const current = await store.getCase(params.ref);
  if (current === null || current.agentId !== params.agentId) return null;
  const waitMs = Math.min(Math.max(params.waitMs, 0), MAX_STATUS_WAIT_MS);
  const before = current.revision;
  const until = (now: Case) =>
    isTerminal(now.state) || now.state === "UNKNOWN" || (now.revision !== before && isSettled(now));
  const latest =
    waitMs === 0
      ? current
      : await watchCase({ ref: params.ref, waitMs, until, signal: params.signal }, store);
  return latest === null ? null : report(latest, store);
}

/** The agent's open cases, and those that ended since it last asked; telling it of them is noted. */
export async function listOwnCases(agentId: AgentId, store: CaseStore): Promise<readonly CaseReport[]> {
  const open = await store.listCases({
    agentId,
    states: ["ASSESSING", "AWAITING_REVIEW", "AUTHORIZED", "EXECUTING", "UNKNOWN"],
    limit: 50,
  });
  const ended = await store.listCases({ agentId, unreported: true, limit: 50 });
  return Promise.all([...open, ...ended].map((c) => report(c, store)));
}

async function report(current: Case, store: CaseStore): Promise<CaseReport> {
  const ended = isTerminal(current.state);
  const resultText = ended ? await store.getPayload(current.ref, "result") : null;
  const said = saidBy(current);
  const reason = said === null ? null : await store.getPayload(current.ref, said);
  const originalText = await store.getPayload(current.ref, "original_arguments");
  const editedText = originalText === null ? null : await store.getPayload(current.ref, "arguments");
  const editedMembers = changedMembers(originalText, editedText);
  if (ended && current.reportedAtMs === null) await store.markReported([current.ref]);
  return { case: current, resultText, reason, editedText, editedMembers };
}

function changedMembers(original: string | null, edited: string | null): readonly EditedMember[] {
  if (original === null || edited === null) return [];
  const changes = diffValues(JSON.parse(original), JSON.parse(edited), "");
  return changes.map(({ pointer, kind }) => ({ pointer, kind }));
}

/** Where the words are that a person meant for the agent; null when nobody said anything to it. */
function saidBy(current: Case): "reason" | "resolution" | null {
  if (current.reasonId === "resolution.reported") return "resolution";
  return current.state === "REJECTED" ? "reason" : null;
}
