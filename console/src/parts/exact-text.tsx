import { type ReactNode, useState } from "react";
import { countHidden } from "../text/hidden-characters.ts";
import { indented } from "../text/json-text.ts";
import { Visible } from "../text/visible.tsx";
import { Button } from "./button.tsx";
import { Warning } from "./card.tsx";

/** Longest piece that is put on the screen at once, in UTF-16 code units; a call can have megabytes. */
const PIECE = 60_000;

export interface ExactTextProps {
  readonly text: string;
  /** Name of the region. */
  readonly label: string;
  readonly keepLineBreaks?: boolean;
  /** Comes after the last character, and is not there before all of the text is. */
  readonly end?: ReactNode;
}

/** Text to the letter. What is longer than a screen holds is shown piece by piece. */
export function ExactText({ text, label, keepLineBreaks = false, end }: ExactTextProps): ReactNode {
  const [pieces, setPieces] = useState(1);
  const shown = text.slice(0, pieces * PIECE);
  const isWhole = shown.length === text.length;
  return (
    <>
      {/* A region that scrolls must be reachable with the keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className="exact" tabIndex={0} role="region" aria-label={label}>
        <Visible text={shown} keepLineBreaks={keepLineBreaks} />
        {isWhole && end}
      </pre>
      {!isWhole && (
        <p className="mt-2 flex items-center gap-3">
          <Button look="small" onClick={() => setPieces(pieces + 1)}>
            Show more
          </Button>
          <span className="text-quiet">
            {shown.length} of {text.length} characters are shown.
          </span>
        </p>
      )}
    </>
  );
}

/** JSON as it came; line breaks between the tokens are a help for reading that can be switched on. */
export function JsonText({ text, label, end }: Omit<ExactTextProps, "keepLineBreaks">): ReactNode {
  const [isIndented, setIndented] = useState(false);
  const hidden = countHidden(text);
  const bytes = new TextEncoder().encode(text).length;
  return (
    <div className="space-y-2">
      {hidden > 0 && (
        <Warning>
          Contains {hidden} {hidden === 1 ? "character" : "characters"} that cannot be seen by themselves,
          shown as ⟨U+…⟩.
        </Warning>
      )}
      {isIndented ? (
        <ExactText text={indented(text)} label={`${label}, indented`} keepLineBreaks end={end} />
      ) : (
        <ExactText text={text} label={`${label}, exact`} end={end} />
      )}
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-[0.87rem] text-quiet">
        <Button look="small" onClick={() => setIndented(!isIndented)}>
          {isIndented ? "Show exact bytes" : "Indent for reading"}
        </Button>
        {isIndented
          ? "Line breaks added between fields only."
          : `${bytes} bytes, nothing added and nothing left out.`}
      </p>
    </div>
  );
}
