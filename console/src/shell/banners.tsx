import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { killSwitchesQuery } from "../gateway/queries.ts";
import { Time } from "../text/times.tsx";
import { Name, Visible } from "../text/visible.tsx";
import { MODE_WORDS, SINGLE_OPERATOR } from "../text/words.ts";
import { useSession } from "./session.tsx";

/** What everybody must know on every page: what is stopped, and what is not enforced. */
export function Banners(): ReactNode {
  const session = useSession();
  const notes = [MODE_WORDS[session.mode], session.single_operator ? SINGLE_OPERATOR : null];
  return (
    <>
      <Stopped />
      {notes
        .filter((note) => note !== null)
        .map((note) => (
          <p
            key={note}
            role="status"
            className="border-b border-line bg-care-soft px-4 py-1.5 text-care sm:px-6"
          >
            {note}
          </p>
        ))}
    </>
  );
}

/** A look that fails leaves what was said. */
function Stopped(): ReactNode {
  const { data } = useQuery(killSwitchesQuery);
  if (data === undefined || data.kill_switches.length === 0) return null;
  return (
    <div role="alert" className="border-b border-line bg-grave-soft px-4 py-1.5 text-grave sm:px-6">
      {data.kill_switches.map(({ scope, target, engaged_by: by, engaged_at: at, reason }) => (
        <p key={`${scope} ${target}`}>
          <b>
            Stopped:{" "}
            {scope === "all" ? (
              "everything"
            ) : (
              <>
                {scope} <Name text={target} />
              </>
            )}
          </b>{" "}
          by {by === null ? "the operator" : <Name text={by} />} at <Time iso={at} />.{" "}
          <Visible text={reason} />
        </p>
      ))}
    </div>
  );
}
