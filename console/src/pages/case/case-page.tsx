import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { caseQuery } from "../../gateway/queries.ts";
import { Refused } from "../../gateway/request.ts";
import { RiskBadge, StateBadge } from "../../parts/badges.tsx";
import { type Say, useSay } from "../../shell/notice.tsx";
import { useSession } from "../../shell/session.tsx";
import { useShortcuts } from "../../shell/shortcuts.tsx";
import { Countdown } from "../../text/times.tsx";
import { Name } from "../../text/visible.tsx";
import { DecisionBar } from "../decide/decision-bar.tsx";
import { EditArguments } from "../decide/edit-arguments.tsx";
import { useDecide } from "../decide/use-decide.ts";
import { ArgumentsCard, DifferenceCard, WordsCard } from "./call-cards.tsx";
import { HistoryCard, RiskCard, ToolCard } from "./context-cards.tsx";
import { NextCase, OutcomeCard } from "./outcome-card.tsx";
import { RecordCard, SuggestionCard, TimelineCard } from "./record-cards.tsx";
import { Sentence } from "./sentence.tsx";
import { useSeen } from "./use-seen.ts";

/** One case, as it is on record. */
export function CasePage(): ReactNode {
  const { ref } = useParams({ from: "/queue/cases/$ref" });
  const { data, error } = useQuery(caseQuery(ref));
  const say = useSay();
  // What was said of another case is not about this one.
  useEffect(() => say(""), [ref, say]);
  if (data !== undefined) return <Case key={ref} detail={data} />;
  if (error === null) return <p className="p-10 text-quiet">Loading…</p>;
  const isUnknown = error instanceof Refused && error.status === 404;
  return (
    <div className="space-y-4 p-6">
      <Back />
      <p role="alert">{isUnknown ? "There is no such case." : error.message}</p>
    </div>
  );
}

function Case({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const item = detail.case;
  const seen = useSeen(item.digest);
  const decide = useDecide(detail, seen);
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirst = useRef(true);
  // Also when what had the focus went away because the case went on.
  useEffect(() => {
    const isLost = document.activeElement === document.body || document.activeElement === null;
    if (isLost || isFirst.current) heading.current?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [item.revision, decide.mode]);
  useNews(detail);
  useLeaving(decide.mode === "choose");
  // What an admin has not seen is as much a part of the question as the arguments.
  const isAccepted = detail.definition.state === "accepted";
  const isEditing = decide.editedText !== null;
  return (
    <article className="flex h-full flex-col" aria-label="Case">
      <div className="min-h-0 flex-1 overflow-y-auto scroll-pb-6">
        <div className="mx-auto max-w-6xl space-y-5 px-4 py-5 sm:px-7 sm:py-6">
          <header className="space-y-3">
            <Back />
            <h1
              ref={heading}
              tabIndex={-1}
              className="text-2xl leading-snug font-semibold [overflow-wrap:anywhere]"
            >
              <Name text={item.tool} />
            </h1>
            <p className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
              <StateBadge state={item.state} />
              <RiskBadge of={item} />
              {item.state === "AWAITING_REVIEW" && item.review_by !== null && (
                <span>
                  <Countdown iso={item.review_by} />
                  <span className="text-quiet">
                    , then it expires: it does not run, and the agent is told
                  </span>
                </span>
              )}
            </p>
            <Sentence detail={detail} />
          </header>
          {decide.editedText !== null ? (
            <EditArguments detail={detail} text={decide.editedText} onChange={decide.setEditedText} />
          ) : (
            <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,5fr)_minmax(0,3fr)]">
              <div className="min-w-0 space-y-4">
                <OutcomeCard detail={detail} />
                <NextCase detail={detail} />
                <ArgumentsCard detail={detail} endRef={seen.endRef} />
                {!isAccepted && <ToolCard detail={detail} />}
                <DifferenceCard detail={detail} />
                <WordsCard detail={detail} />
                <SuggestionCard detail={detail} />
              </div>
              <div className="min-w-0 space-y-4">
                <RiskCard detail={detail} />
                {isAccepted && <ToolCard detail={detail} />}
                <HistoryCard detail={detail} />
                <TimelineCard detail={detail} />
                <RecordCard detail={detail} />
              </div>
            </div>
          )}
        </div>
      </div>
      <DecisionBar key={isEditing ? "edit" : "decide"} detail={detail} decide={decide} />
    </article>
  );
}

function Back(): ReactNode {
  return (
    <Link to="/" search={(before) => before} className="link w-fit text-[0.93rem] lg:hidden">
      ← All cases
    </Link>
  );
}

/** Escape leads back to the queue when no step is under way. */
function useLeaving(isFree: boolean): void {
  const navigate = useNavigate();
  useShortcuts(isFree ? { Escape: () => void navigate({ to: "/", search: (before) => before }) } : {});
}

/** Says what others did to the case while it was open. */
function useNews(detail: CaseDetailBody): void {
  const { person } = useSession();
  const say = useSay();
  const before = useRef(detail);
  useEffect(() => {
    tellWhatChanged({ before: before.current, after: detail, personId: person.id, say });
    before.current = detail;
  }, [detail, person.id, say]);
}

function tellWhatChanged(params: {
  readonly before: CaseDetailBody;
  readonly after: CaseDetailBody;
  readonly personId: string;
  readonly say: Say;
}): void {
  const { before, after, personId, say } = params;
  if (before.case.state !== "AWAITING_REVIEW" || before.case.revision === after.case.revision) return;
  const { state, decided_by: by, digest } = after.case;
  if (state === "AWAITING_REVIEW" && digest !== before.case.digest)
    say("This case changed. Look at it again before you decide.", "care");
  else if (by !== null && by !== personId) say(`${by} decided this case meanwhile.`, "care");
  else if (state === "EXPIRED") say("The deadline passed; this case has expired.", "care");
  else if (state === "CANCELLED" && by === null) say("The request was withdrawn meanwhile.", "care");
}
