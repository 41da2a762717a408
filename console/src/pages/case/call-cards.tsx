import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode, RefCallback } from "react";
import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { historyQuery } from "../../gateway/queries.ts";
import { Card, Untrusted, Warning } from "../../parts/card.tsx";
import { ExactText, JsonText } from "../../parts/exact-text.tsx";
import { MemberChanges } from "../../parts/member-changes.tsx";
import { changesOf, parseJsonText } from "../../text/json-text.ts";
import { Time } from "../../text/times.tsx";
import { Name } from "../../text/visible.tsx";
import { memberOf, textOrNull } from "../decide/friction.ts";

/** The call as it will run, byte for byte. */
export function ArgumentsCard(props: {
  readonly detail: CaseDetailBody;
  /** Goes after the last character. */
  readonly endRef: RefCallback<HTMLElement>;
}): ReactNode {
  const { detail, endRef } = props;
  const end = <span ref={endRef} data-end />;
  return (
    <Card title="Arguments">
      {detail.arguments === null ? (
        <Warning>The arguments were erased.{end}</Warning>
      ) : (
        <JsonText text={detail.arguments} label="Arguments" end={end} />
      )}
      {detail.meta !== null && (
        <div className="mt-4">
          <h3 className="title">Forwarded with it (_meta)</h3>
          <JsonText text={detail.meta} label="Forwarded _meta" />
        </div>
      )}
    </Card>
  );
}

/** How the call differs from the last one of the tool that a person approved. */
export function DifferenceCard({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const { data } = useQuery(historyQuery(detail.case.ref));
  if (data === undefined || detail.arguments === null) return null;
  const last = data.last_approved;
  return (
    <Card title="Compared with the last approved call">
      {last === null ? (
        <p className="text-quiet">Nobody has approved another call of this tool.</p>
      ) : (
        <div className="space-y-2">
          <Difference from={last.arguments} to={detail.arguments} />
          {!last.same_definition && <Warning>The tool had another definition then.</Warning>}
          <p className="text-quiet">
            <Link
              to="/cases/$ref"
              params={{ ref: last.case.ref }}
              search={(before) => before}
              className="link"
            >
              The last one
            </Link>{" "}
            was called by <Name text={last.case.agent} />
            {last.case.decided_by !== null && (
              <>
                {" "}
                and approved by <Name text={last.case.decided_by} />
              </>
            )}
            {last.case.decided_at !== null && (
              <>
                {" "}
                at <Time iso={last.case.decided_at} />
              </>
            )}
            .
          </p>
        </div>
      )}
    </Card>
  );
}

function Difference({ from, to }: { readonly from: string | null; readonly to: string }): ReactNode {
  if (from === null)
    return <p className="text-quiet">Its arguments were erased, so nothing can be compared.</p>;
  const changes = changesOf(from, to);
  if (changes === null) return <p className="text-quiet">The two cannot be compared.</p>;
  if (changes.length === 0) return <p>The arguments are the same, to the letter.</p>;
  return <MemberChanges changes={changes} label="What differs from the last approved call" />;
}

/** Arguments in which agents say why. */
const REASONS = /reason|justif|why|purpose|explan|rationale|context|comment|message|note/i;

/** What the agent and the assessor say in their own words; it is meant to persuade, so nobody reads it unasked. */
export function WordsCard({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const said = reasonsOf(detail.arguments);
  const rationale = textOrNull(memberOf(detail.assessment, "rationale"));
  const assessor = textOrNull(memberOf(detail.assessment, "assessor")) ?? "assessor";
  if (said.length === 0 && rationale === null) return null;
  return (
    <Card title="In their own words">
      <div className="space-y-2">
        {said.length > 0 && (
          <Untrusted summary="What the agent says of its reasons">
            {said.map(([name, text]) => (
              <div key={name} className="mb-2">
                <h3 className="text-[0.87rem] text-quiet">
                  <Name text={name} />
                </h3>
                <ExactText text={text} label={`The agent's words in ${name}`} keepLineBreaks />
              </div>
            ))}
          </Untrusted>
        )}
        {rationale !== null && (
          <Untrusted summary={`What the assessor wrote (${assessor})`}>
            <ExactText text={rationale} label="What the assessor wrote" keepLineBreaks />
          </Untrusted>
        )}
      </div>
    </Card>
  );
}

function reasonsOf(argumentsText: string | null): readonly (readonly [string, string])[] {
  const root = argumentsText === null ? null : parseJsonText(argumentsText);
  return (root?.members ?? [])
    .filter(({ name, value }) => value.kind === "text" && REASONS.test(name))
    .map(({ name, value }) => [
      name,
      String(JSON.parse(argumentsText?.slice(value.start, value.end) ?? '""')),
    ]);
}
