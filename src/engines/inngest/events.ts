import { createHmac } from "node:crypto";
import type { Case } from "../../domain/case.ts";
import { type CaseRef, type RandomBytes, randomHex } from "../../domain/ids.ts";
import type { Telling } from "../../governance/engine-ports.ts";

/** Names of the events; the operator sees them, and other systems may listen to them. */
export const EVENTS = {
  /** Starts a run. */
  requested: "atlas/tool.execution_requested",
  /** A run should look at its case. What it says is for people: the run reads the decision from the database. */
  decision: "atlas/sarah.decision",
  /** A human is needed. */
  review: "atlas/review.requested",
} as const;

type Shown = {
  /** Reference of the case. */
  readonly event_id: CaseRef;
  readonly upstream: string;
  /** Name at the upstream. */
  readonly tool: string;
  readonly risk_score: number | null;
  readonly classification: string | null;
};

export type RequestedData = Shown & {
  /** Which run of this case it starts. */
  readonly generation: number;
  readonly state: string;
};

export type DecisionData = {
  readonly event_id: CaseRef;
  /** `NONE`: nobody decided, the case changed otherwise. */
  readonly decision: "APPROVED" | "REJECTED" | "NONE";
  readonly state: string;
  /** Pseudonym of the reviewer. */
  readonly reviewer: string | null;
};

export type ReviewData = Shown & {
  /** ISO 8601. */
  readonly review_by: string | null;
};

export interface OutgoingEvent {
  readonly name: (typeof EVENTS)[keyof typeof EVENTS];
  /** Sent again under the same id, it is the same event. */
  readonly id: string;
  readonly data: RequestedData | DecisionData | ReviewData;
}

export interface EventsDeps {
  readonly random: RandomBytes;
  /** What pseudonyms are made with; the same in every gateway. */
  readonly pseudonymKey: string;
}

export type Events = ReturnType<typeof createEvents>;

/** What is told to the engine about a case: reference, tool, score, state and a pseudonym; never arguments, reasons or names. */
export function createEvents({ random, pseudonymKey }: EventsDeps) {
  const shown = (current: Case): Shown => ({
    event_id: current.ref,
    upstream: current.upstream,
    tool: current.tool,
    risk_score: current.riskScore,
    classification: current.classification,
  });
  const reviewer = (current: Case): string | null => {
    if (current.decidedBy === null) return null;
    return `reviewer-${createHmac("sha256", pseudonymKey).update(current.decidedBy).digest("hex").slice(0, 12)}`;
  };
  const wake = (current: Case): OutgoingEvent => ({
    name: EVENTS.decision,
    id: `${current.ref}:wake:${randomHex(12, random)}`,
    data: {
      event_id: current.ref,
      decision: decisionOf(current),
      state: current.state,
      reviewer: reviewer(current),
    },
  });
  return {
    shown,
    reviewer,
    wake,
    review: (current: Case): OutgoingEvent => ({
      name: EVENTS.review,
      id: `${current.ref}:review:${current.revision}`,
      data: { ...shown(current), review_by: iso(current.reviewByMs) },
    }),
    /** The trigger of a run that nobody has heard of yet; a wake of one that was heard of. */
    telling({ run, case: current }: Telling): OutgoingEvent {
      if (run.begun) return wake(current);
      return {
        name: EVENTS.requested,
        id: `${current.ref}:run:${run.generation}`,
        data: { ...shown(current), generation: run.generation, state: current.state },
      };
    },
  };
}

function decisionOf({ state, authorization }: Case): DecisionData["decision"] {
  if (state === "REJECTED") return "REJECTED";
  return authorization === "human" ? "APPROVED" : "NONE";
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
