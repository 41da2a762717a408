import { Dialog as Base } from "radix-ui";
import type { ReactNode } from "react";

/**
 * A question in front of the page. It has its own backdrop instead of the library's overlay, which writes a style element
 * that the content security policy does not let in.
 */
export function Dialog(props: {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <Base.Root open={props.isOpen} onOpenChange={(isOpen) => !isOpen && props.onClose()}>
      <Base.Portal>
        <div className="fixed inset-0 z-30 bg-shade" aria-hidden="true" />
        <Base.Content
          aria-describedby={undefined}
          className="fixed top-1/2 left-1/2 z-40 max-h-[88dvh] w-[min(36rem,94vw)] -translate-x-1/2 -translate-y-1/2 overflow-y-auto rounded-2xl border border-line bg-surface p-6 shadow-xl"
        >
          <Base.Title className="mb-3 text-lg font-semibold">{props.title}</Base.Title>
          {props.children}
        </Base.Content>
      </Base.Portal>
    </Base.Root>
  );
}
