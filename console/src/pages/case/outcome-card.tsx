import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { RiskBadge, StateBadge } from "../../parts/badges.tsx";
import { Card } from "../../parts/card.tsx";
import { ExactText, JsonText } from "../../parts/exact-text.tsx";
import { Countdown, Time } from "../../text/times.tsx";
import { Name } from "../../text/visible.tsx";
import { memberOf } from "../decide/friction.ts";
import { useQueue } from "../queue/use-queue.ts";

/** How it ended, told no better than it is known. */
export function OutcomeCard({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const item = detail.case;
  const end = endOf(detail);
  if (end === null) return null;
  return (
    <Card title="Outcome">
      <div className="space-y-3">
        <p>
          <StateBadge state={item.state} /> {end}
        </p>
        <WhoDecided detail={detail} />
        {detail.decision_reason !== null && (
          <div>
            <h3 className="title">Reason given</h3>
            <ExactText text={detail.decision_reason} label="Reason given" keepLineBreaks />
          </div>
        )}
        {detail.resolution !== null && (
          <div>
            <h3 className="title">How they know</h3>
            <ExactText text={detail.resolution} label="How they know" keepLineBreaks />
          </div>
        )}
        <Answer detail={detail} />
      </div>
    </Card>
  );
}

function endOf({ case: item, decision_reason: reason }: CaseDetailBody): string | null {
  if (item.reason_id === "resolution.reported") {
    // What a person found out is their word; the gateway saw nothing itself.
    if (item.state === "SUCCEEDED")
      return "A person found out that the call ran. The gateway itself got no answer.";
    if (item.state === "FAILED")
      return "A person found out that the call did not do its work. The gateway itself got no answer.";
  }
  switch (item.state) {
    case "ASSESSING":
    case "AWAITING_REVIEW":
      return null;
    case "AUTHORIZED":
      return "The call may run and has not been sent yet.";
    case "EXECUTING":
      return "The call was sent, or is being sent now. There is no outcome yet.";
    case "REJECTED":
      return `The call did not run. The agent is told${reason === null ? "" : ", with the reason"}.`;
    case "EXPIRED":
    case "DENIED":
      return `The call did not run. ${item.reason}`;
    case "CANCELLED":
      return item.reason_id === "review.undone"
        ? "The call did not run. The approval was taken back in time."
        : "The call did not run. The request was withdrawn.";
    case "SUCCEEDED":
      return "The call ran, and the upstream answered.";
    case "FAILED":
      return `The call failed. ${item.reason}`;
    case "UNKNOWN":
      return `Nobody knows whether the call ran. ${item.reason} It is not repeated by itself: find out at the upstream what happened before anybody asks for it again.`;
    default:
      return item.state satisfies never;
  }
}

function WhoDecided({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const item = detail.case;
  if (item.decided_by === null || item.decided_at === null) {
    return item.authorization === null ? null : <p>No human decided: {item.reason}</p>;
  }
  const isReported = item.reason_id === "resolution.reported";
  const verb = isReported ? "Reported" : item.state === "REJECTED" ? "Rejected" : "Approved";
  return (
    <p className="text-quiet">
      {verb} by{" "}
      <b className="font-semibold text-ink">
        <Name text={item.decided_by} />
      </b>{" "}
      at <Time iso={item.decided_at} />.
    </p>
  );
}

/** The words of the answer, when it is nothing but words; as it came is one click away. */
function Answer({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const label = "What the upstream answered";
  if (detail.result === null) {
    return detail.case.state === "SUCCEEDED" ? (
      <p className="text-quiet">Its answer was not kept here.</p>
    ) : null;
  }
  const words = wordsOf(detail.result);
  return (
    <div className="space-y-2">
      <h3 className="title">{label}</h3>
      {words === null ? (
        <JsonText text={detail.result} label={label} />
      ) : (
        <>
          {words.map((block, index) => (
            <ExactText key={`${index} ${block.length}`} text={block} label={label} keepLineBreaks />
          ))}
          <details>
            <summary className="link w-fit rounded">As it came</summary>
            <div className="mt-2">
              <JsonText text={detail.result} label={`${label}, as it came`} />
            </div>
          </details>
        </>
      )}
    </div>
  );
}

function wordsOf(text: string): readonly string[] | null {
  try {
    const blocks = memberOf(memberOf(JSON.parse(text), "result"), "content");
    if (!Array.isArray(blocks) || blocks.length === 0) return null;
    const words = blocks.map((block: unknown) =>
      memberOf(block, "type") === "text" ? memberOf(block, "text") : null,
    );
    return words.every((word) => typeof word === "string") ? words : null;
  } catch {
    return null; // Shown as it came, whatever it is.
  }
}

/** The way on from a case that no longer waits; nobody is taken there unasked. */
export function NextCase({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const { cases, search, read } = useQueue();
  if (detail.case.state === "AWAITING_REVIEW" || search.tab === "decided" || read.data === undefined)
    return null;
  const next = cases.find(({ ref, state }) => state === "AWAITING_REVIEW" && ref !== detail.case.ref);
  if (next === undefined) return <p className="text-quiet">Nothing else waits for a decision.</p>;
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Link to="/cases/$ref" params={{ ref: next.ref }} search={(before) => before} className="link">
        Next case: <Name text={next.tool} />
      </Link>
      <RiskBadge of={next} />
      {next.review_by !== null && <Countdown iso={next.review_by} />}
    </p>
  );
}
