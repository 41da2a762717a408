import type { ReactNode } from "react";
import type { MemberChange } from "../text/json-text.ts";
import { Visible } from "../text/visible.tsx";

/** What differs, one member a row: what it was, and what it is. */
export function MemberChanges(props: {
  readonly changes: readonly MemberChange[];
  readonly label: string;
}): ReactNode {
  return (
    <ul aria-label={props.label} className="divide-y divide-line rounded-lg border border-line">
      {props.changes.map(({ pointer, from, to }) => (
        <li key={pointer} className="space-y-1 px-3 py-2 font-mono text-[0.85rem] [overflow-wrap:anywhere]">
          <span className="block text-quiet">
            <Visible text={pointer === "" ? "all of it" : pointer} />
          </span>
          <span className="block space-y-0.5">
            {from !== null && <Side kind="from" text={from} />}
            {to !== null && <Side kind="to" text={to} />}
          </span>
        </li>
      ))}
    </ul>
  );
}

const SIDES = {
  from: { sign: "−", said: "was", look: "bg-grave-soft text-grave" },
  to: { sign: "+", said: "is", look: "bg-good-soft text-good" },
} as const;

function Side({ kind, text }: { readonly kind: "from" | "to"; readonly text: string }): ReactNode {
  const { sign, said, look } = SIDES[kind];
  return (
    <span className={`block rounded px-1.5 ${look}`}>
      <span aria-hidden="true">{sign} </span>
      <span className="sr-only">{said} </span>
      <Visible text={text} />
    </span>
  );
}
