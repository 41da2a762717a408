import { Link } from "@tanstack/react-router";
import { memo, type ReactNode } from "react";
import type { CaseBody } from "../../../../src/http/contract.ts";
import { RiskBadge, StateBadge } from "../../parts/badges.tsx";
import { spelt } from "../../text/hidden-characters.ts";
import { Ago, Countdown } from "../../text/times.tsx";
import { Visible } from "../../text/visible.tsx";

/** Height of a row, in pixels: all rows have the same, so that ten thousand of them scroll without being measured. */
export const ROW_HEIGHT = 88;

const EDGES = {
  LOW: "before:bg-good",
  MEDIUM: "before:bg-care",
  HIGH_RISK: "before:bg-high",
  CRITICAL: "before:bg-grave",
} as const;

export const QueueRow = memo(function QueueRow(props: {
  readonly item: CaseBody;
  readonly isGone: boolean;
  readonly personId: string;
}): ReactNode {
  const { item, isGone, personId } = props;
  const edge = item.classification === null ? "before:bg-edge" : EDGES[item.classification];
  return (
    <Link
      to="/cases/$ref"
      params={{ ref: item.ref }}
      search={(before) => before}
      data-ref={item.ref}
      className={`relative flex h-full flex-col justify-center gap-0.5 border-b border-line px-4 before:absolute before:inset-y-1.5 before:left-0 before:w-1 before:rounded-r hover:bg-hover focus-visible:-outline-offset-2 aria-[current=page]:bg-chosen ${edge} ${isGone ? "opacity-80" : ""}`}
    >
      <span className="flex items-center justify-between gap-3">
        <span className="truncate font-medium" title={spelt(item.tool)}>
          <Visible text={item.tool} />
        </span>
        <RiskBadge of={item} />
      </span>
      <span className="truncate text-[0.87rem] text-quiet">
        <Visible text={item.agent} /> → <Visible text={item.upstream} />
      </span>
      <span className="flex items-center justify-between gap-3 text-[0.87rem] text-quiet">
        <span className="truncate">{isGone ? "no longer in this list" : <Standing item={item} />}</span>
        {item.taken_by !== null && (
          <span className="flex-none">
            {item.taken_by === personId ? (
              <b className="font-medium text-accent">yours</b>
            ) : (
              <>
                taken by <Visible text={item.taken_by} />
              </>
            )}
          </span>
        )}
      </span>
    </Link>
  );
});

/** Where it stands: how long somebody has, or what became of it. */
function Standing({ item }: { readonly item: CaseBody }): ReactNode {
  if (item.state === "AWAITING_REVIEW" && item.review_by !== null) {
    return (
      <>
        <Countdown iso={item.review_by} /> · asked <Ago iso={item.opened_at} />
      </>
    );
  }
  return (
    <>
      <StateBadge state={item.state} /> <Ago iso={item.updated_at} />
    </>
  );
}
