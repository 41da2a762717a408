import { Fragment, type ReactNode } from "react";
import { partsOf } from "./hidden-characters.ts";

function HiddenMark({ text }: { readonly text: string }): ReactNode {
  return (
    <mark title="A character that is not visible by itself" className="rounded bg-care-soft text-care">
      {text}
    </mark>
  );
}

/** Text that somebody else wrote, as text, with each character that is not seen spelt out. */
export function Visible(props: { readonly text: string; readonly keepLineBreaks?: boolean }): ReactNode {
  return partsOf(props.text, props.keepLineBreaks).map((part) =>
    part.isHidden ? <HiddenMark key={part.at} text={part.text} /> : part.text,
  );
}

/** A name like {@link Visible} shows it, with places where a narrow column may break it. */
export function Name({ text }: { readonly text: string }): ReactNode {
  return partsOf(text).flatMap((part) =>
    part.isHidden
      ? [<HiddenMark key={part.at} text={part.text} />]
      : part.text.split(/(?<=[_./-])/u).map((piece, index) => (
          <Fragment key={`${part.at}-${index}`}>
            {piece}
            <wbr />
          </Fragment>
        )),
  );
}
