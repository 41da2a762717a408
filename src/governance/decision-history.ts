import type { Case } from "../domain/case.ts";
import type { AgentId, CaseRef } from "../domain/ids.ts";

/** What an earlier decision must have in common with the case that is looked at. */
export interface HistoryParams {
  /** Left out of what is found. */
  readonly ref: CaseRef;
  readonly agentId: AgentId;
  readonly upstream: string;
  readonly tool: string;
}

/** How often people decided each way; a decision that was taken back is none. */
export interface DecisionCounts {
  readonly approved: number;
  readonly rejected: number;
}

/** What people decided before, as far as it bears on one case. */
export interface DecisionHistory {
  /** Of this tool, whoever called it. */
  readonly tool: DecisionCounts;
  /** Of this agent, whatever it called. */
  readonly agent: DecisionCounts;
  /** The newest decided cases of this tool or agent, newest first. */
  readonly recent: readonly Case[];
  /** The newest case of this tool that a person approved; null when nobody ever did. */
  readonly lastApproved: Case | null;
}
