import type { ReactNode } from "react";
import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { parseJsonText } from "../../text/json-text.ts";
import { Name } from "../../text/visible.tsx";
import { CLASS_WORDS } from "../../text/words.ts";

/** What will happen, by rule from the record; no word of it comes from an agent or a model. */
export function Sentence({ detail }: { readonly detail: CaseDetailBody }): ReactNode {
  const { case: item, owner } = detail;
  const isWaiting = item.state === "AWAITING_REVIEW";
  return (
    <p className="text-[1.07rem] leading-relaxed text-pretty">
      Agent{" "}
      <b className="font-semibold">
        <Name text={item.agent} />
      </b>
      {owner !== null && (
        <>
          , for whom{" "}
          <b className="font-semibold">
            <Name text={owner} />
          </b>{" "}
          answers,
        </>
      )}{" "}
      {isWaiting ? "asks" : "asked"} to run{" "}
      <b className="font-semibold">
        <Name text={item.tool} />
      </b>{" "}
      on{" "}
      <b className="font-semibold">
        <Name text={item.upstream} />
      </b>
      {argumentWords(detail.arguments)}. <Effect manifest={detail.manifest} />{" "}
      {isWaiting && "If you approve, the gateway sends exactly the arguments below, once."}
    </p>
  );
}

function argumentWords(text: string | null): string {
  const count = text === null ? undefined : parseJsonText(text)?.members.length;
  if (count === undefined) return "";
  if (count === 0) return " without arguments";
  return count === 1 ? " with 1 argument" : ` with ${count} arguments`;
}

/** What the tool does, and who says so. */
function Effect({ manifest }: { readonly manifest: CaseDetailBody["manifest"] }): ReactNode {
  if (manifest === null) return "Nobody knows what this tool does.";
  const source = manifest.confirmed ? "as an admin confirmed" : "by its definition, which no admin confirmed";
  return (
    <>
      Such a call <b className="font-semibold">{CLASS_WORDS[manifest.class]}</b>
      {manifest.reversible ? " and can be taken back" : ""} ({source}).
      {!manifest.reversible && (
        <>
          {" "}
          <b className="font-semibold text-grave">It cannot be taken back.</b>
        </>
      )}
    </>
  );
}
