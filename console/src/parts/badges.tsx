import type { ReactNode } from "react";
import type { CaseBody } from "../../../src/http/contract.ts";
import { STATE_WORDS } from "../text/words.ts";

const STATE_LOOKS: Readonly<Record<CaseBody["state"], string>> = {
  ASSESSING: "bg-sunken text-quiet",
  AWAITING_REVIEW: "bg-chosen text-accent",
  AUTHORIZED: "bg-good-soft text-good",
  EXECUTING: "bg-good-soft text-good",
  UNKNOWN: "bg-care-soft text-care",
  SUCCEEDED: "bg-good-soft text-good",
  FAILED: "bg-grave-soft text-grave",
  DENIED: "bg-grave-soft text-grave",
  REJECTED: "bg-grave-soft text-grave",
  EXPIRED: "bg-sunken text-quiet",
  CANCELLED: "bg-sunken text-quiet",
};

const BADGE = "inline-block rounded-md px-1.5 py-px text-[0.83rem] font-medium whitespace-nowrap";

export function StateBadge({ state }: { readonly state: CaseBody["state"] }): ReactNode {
  return <span className={`${BADGE} ${STATE_LOOKS[state]}`}>{STATE_WORDS[state]}</span>;
}

const RISK_LOOKS = {
  LOW: "bg-good-soft text-good",
  MEDIUM: "bg-care-soft text-care",
  HIGH_RISK: "bg-high-soft text-high",
  CRITICAL: "bg-grave-soft text-grave",
} as const;

/** Class and score, in words and not by colour alone. */
export function RiskBadge({
  of,
}: {
  readonly of: Pick<CaseBody, "risk_score" | "classification">;
}): ReactNode {
  if (of.risk_score === null) return <span className={`${BADGE} bg-sunken text-quiet`}>not scored</span>;
  const words = of.classification ?? "HIGH_RISK";
  return (
    <span className={`${BADGE} ${RISK_LOOKS[words]}`} title="Risk score, 0 to 100">
      {words.replaceAll("_", " ")} <span className="tabular-nums">{of.risk_score}</span>
    </span>
  );
}
