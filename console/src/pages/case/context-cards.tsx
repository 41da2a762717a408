import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { CaseDetailBody, HistoryBody } from "../../../../src/http/contract.ts";
import { historyQuery } from "../../gateway/queries.ts";
import { RiskBadge, StateBadge } from "../../parts/badges.tsx";
import { Card, Warning } from "../../parts/card.tsx";
import { JsonText } from "../../parts/exact-text.tsx";
import { MemberChanges } from "../../parts/member-changes.tsx";
import { Ago } from "../../text/times.tsx";
import { Name, Visible } from "../../text/visible.tsx";
import { PIN_WORDS, VERDICT_WORDS } from "../../text/words.ts";
import { type Factor, factorsOf } from "../decide/friction.ts";

/** The score, what it is made of, and the rule that held the call. */
export function RiskCard({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const item = detail.case;
  const factors = factorsOf(detail.assessment);
  return (
    <Card title="Risk">
      <div className="space-y-2.5">
        <p>
          <RiskBadge of={item} />
          {item.state === "AWAITING_REVIEW" && <> {item.reason}</>}
        </p>
        {factors.length === 0 ? (
          <p className="text-quiet">No risk factors were recorded.</p>
        ) : (
          <ul className="space-y-1.5" aria-label="Risk factors">
            {factors.map((factor) => (
              <FactorRow key={`${factor.id} ${factor.evidence}`} factor={factor} />
            ))}
          </ul>
        )}
        <p className="text-quiet">
          {item.rule === null ? (
            "No policy rule names this tool."
          ) : (
            <>
              Policy rule{" "}
              <code className="font-mono text-[0.9em] text-ink">
                <Visible text={item.rule} />
              </code>
              : {VERDICT_WORDS[item.verdict] ?? item.verdict}.
            </>
          )}
        </p>
      </div>
    </Card>
  );
}

function FactorRow({ factor }: { readonly factor: Factor }): ReactNode {
  return (
    <li className="grid grid-cols-[2.2rem_1fr] gap-x-2 [overflow-wrap:anywhere]">
      <span className="text-right font-medium tabular-nums">{factor.weight}</span>
      <span>
        <code className="font-mono text-[0.9em]">
          <Visible text={factor.id} />
        </code>
        {factor.evidence !== "" && (
          <span className="text-quiet">
            {" "}
            at{" "}
            <code className="font-mono text-[0.9em]">
              <Visible text={factor.evidence} />
            </code>
          </span>
        )}
        {factor.tag !== null && (
          <span className="text-quiet">
            {" "}
            · <Visible text={factor.tag} />
          </span>
        )}
      </span>
    </li>
  );
}

/** Whose tool it is, and whether it is still what an admin accepted. */
export function ToolCard({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const { definition, case: item } = detail;
  return (
    <Card title="Tool">
      <div className="space-y-3">
        {definition.state === "accepted" ? (
          <p>{PIN_WORDS.accepted}</p>
        ) : (
          <Warning>{PIN_WORDS[definition.state]}</Warning>
        )}
        {definition.diff.length > 0 && (
          <MemberChanges changes={definition.diff} label="What changed since the tool was accepted" />
        )}
        <dl className="facts">
          <dt>Upstream</dt>
          <dd>
            <Name text={item.upstream} />
          </dd>
          <dt>Called as</dt>
          <dd>
            <Name text={item.exposed_name} />
          </dd>
          <dt>Definition pin</dt>
          <dd className="font-mono text-[0.85em] text-quiet">{definition.pin}</dd>
        </dl>
        {definition.text !== null && (
          <details>
            <summary className="link w-fit rounded">Definition as the upstream sent it (untrusted)</summary>
            <div className="mt-2">
              <JsonText text={definition.text} label="Tool definition" />
            </div>
          </details>
        )}
      </div>
    </Card>
  );
}

/** What people decided before, of this tool and of this agent. */
export function HistoryCard({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const { data } = useQuery(historyQuery(detail.case.ref));
  if (data === undefined) return null;
  return (
    <Card title="History">
      <dl className="facts">
        <dt>This tool</dt>
        <dd>
          <Counts of={data.tool} />
        </dd>
        <dt>This agent</dt>
        <dd>
          <Counts of={data.agent} />
        </dd>
      </dl>
      {data.recent.length > 0 && (
        <ul className="mt-3 divide-y divide-line border-t border-line" aria-label="Decided before">
          {data.recent.map((earlier) => (
            <li key={earlier.ref}>
              <Link
                to="/cases/$ref"
                params={{ ref: earlier.ref }}
                search={(before) => before}
                className="-mx-2 flex items-center justify-between gap-3 rounded px-2 py-1.5 hover:bg-hover"
              >
                <span className="min-w-0 truncate">
                  <Visible text={earlier.tool} />{" "}
                  <span className="text-quiet">
                    <Visible text={earlier.agent} />
                  </span>
                </span>
                <span className="flex flex-none items-center gap-2 text-[0.87rem] text-quiet">
                  <StateBadge state={earlier.state} />
                  <Ago iso={earlier.decided_at ?? earlier.updated_at} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Counts({ of }: { readonly of: HistoryBody["tool"] }): ReactNode {
  if (of.approved + of.rejected === 0) return "nobody decided on it before";
  return `${of.approved} approved, ${of.rejected} rejected`;
}
