import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { CaseDetailBody, TimelineBody } from "../../../../src/http/contract.ts";
import { timelineQuery } from "../../gateway/queries.ts";
import { Button } from "../../parts/button.tsx";
import { Card, Warning } from "../../parts/card.tsx";
import { ExactText } from "../../parts/exact-text.tsx";
import { Time } from "../../text/times.tsx";
import { Name, Visible } from "../../text/visible.tsx";
import { STATE_WORDS } from "../../text/words.ts";

/** What the ledger says of the case. */
export function TimelineCard({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const { data } = useQuery(timelineQuery(detail.case.ref));
  if (data === undefined) return null;
  return (
    <Card title="Timeline">
      <ol className="space-y-2 border-l border-line pl-4">
        {data.events.map((event) => (
          <Event key={event.hash} event={event} />
        ))}
      </ol>
      {data.next !== null && <p className="mt-2 text-quiet">The ledger has more of it.</p>}
    </Card>
  );
}

function Event({ event }: { readonly event: TimelineBody["events"][number] }): ReactNode {
  const { type, to, from, actor } = event;
  const words = to !== null && to !== from && isState(to) ? STATE_WORDS[to] : type;
  return (
    <li className="relative before:absolute before:top-2 before:-left-[1.28rem] before:size-2 before:rounded-full before:bg-edge">
      <span className="font-medium">{words}</span>{" "}
      <span className="text-quiet">
        by {actor.kind} <Visible text={actor.id} />
      </span>
      <span
        className="block text-[0.87rem] text-quiet"
        title={`Event ${event.sequence} of ${event.writer}, ${event.hash}`}
      >
        <Time iso={event.at} /> · <code className="font-mono">{event.reason_id ?? type}</code>
      </span>
    </li>
  );
}

function isState(state: string): state is keyof typeof STATE_WORDS {
  return state in STATE_WORDS;
}

/** Names and times, as they are on record. */
export function RecordCard({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const item = detail.case;
  const mono = "font-mono text-[0.85em]";
  return (
    <Card title="Record">
      <dl className="facts">
        <dt>Reference</dt>
        <dd className={mono}>{item.ref}</dd>
        <dt>Action digest</dt>
        <dd className={mono}>{item.digest}</dd>
        <dt>Asked at</dt>
        <dd>
          <Time iso={item.opened_at} />
        </dd>
        {item.review_by !== null && (
          <>
            <dt>Decide by</dt>
            <dd>
              <Time iso={item.review_by} />
            </dd>
          </>
        )}
        {item.finished_at !== null && (
          <>
            <dt>Ended at</dt>
            <dd>
              <Time iso={item.finished_at} />
            </dd>
          </>
        )}
        {item.identical_to !== null && (
          <>
            <dt>Same call as</dt>
            <dd className={mono}>
              <Link
                to="/cases/$ref"
                params={{ ref: item.identical_to }}
                search={(before) => before}
                className="link"
              >
                {item.identical_to}
              </Link>
            </dd>
          </>
        )}
      </dl>
    </Card>
  );
}

/** A rule to paste, for what people keep approving. */
export function SuggestionCard({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const { suggestion } = detail;
  const [isCopied, setCopied] = useState(false);
  if (suggestion === null) return null;
  return (
    <Card title="Rule for what people keep approving">
      <div className="space-y-2.5">
        <p>
          People approved {suggestion.approvals} such calls of <Name text={suggestion.agent} /> and never said
          otherwise. An admin can paste this rule before the one that holds them; nothing applies it by
          itself.
        </p>
        {suggestion.warnings.map((warning) => (
          <Warning key={warning}>
            <Visible text={warning} />
          </Warning>
        ))}
        <ExactText text={suggestion.yaml} label="Suggested rule" keepLineBreaks />
        <Button
          look="small"
          onClick={() => void navigator.clipboard.writeText(suggestion.yaml).then(() => setCopied(true))}
        >
          {isCopied ? "Copied" : "Copy the rule"}
        </Button>
      </div>
    </Card>
  );
}
