import { type ReactNode, useId } from "react";

/** A part of a page that has a heading, and a landmark of that name. */
export function Card(props: {
  readonly title: string;
  readonly children: ReactNode;
  readonly className?: string;
}): ReactNode {
  const id = useId();
  return (
    <section className={`card ${props.className ?? ""}`} aria-labelledby={id}>
      <h2 id={id}>{props.title}</h2>
      {props.children}
    </section>
  );
}

/** Words of somebody whom nobody checked: closed until they are asked for, and marked. */
export function Untrusted(props: { readonly summary: string; readonly children: ReactNode }): ReactNode {
  return (
    <details className="group">
      <summary className="link w-fit rounded">{props.summary}</summary>
      <div className="mt-2 border-l-2 border-care pl-3">
        <p className="mb-1 text-[0.83rem] font-medium text-care">Untrusted: nobody checked these words.</p>
        {props.children}
      </div>
    </details>
  );
}

/** Something to look at before going on. */
export function Warning({ children }: { readonly children: ReactNode }): ReactNode {
  return <p className="rounded-lg bg-care-soft px-3 py-1.5 text-care">{children}</p>;
}
