import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, useEffect, useRef } from "react";
import type { CaseBody } from "../../../../src/http/contract.ts";
import type { Shown } from "./held-list.ts";
import { QueueRow, ROW_HEIGHT } from "./queue-row.tsx";

/** Rows from the end at which the next page is asked for. */
const READ_AHEAD = 30;

export interface QueueListHandle {
  /** Brings a row into sight and gives it the focus. */
  focusRow(index: number): void;
  showRow(index: number): void;
}

export interface QueueListProps {
  readonly rows: readonly Shown<CaseBody>[];
  /** How many there are at least; rows that were not read yet are not known to assistive technology otherwise. */
  readonly hasMore: boolean;
  readonly onNearEnd: () => void;
  readonly personId: string;
  readonly handle: RefObject<QueueListHandle | null>;
  readonly onPointing: (isPointing: boolean) => void;
}

/** Only the rows in sight are in the document. */
export function QueueList(props: QueueListProps): ReactNode {
  const { rows, hasMore, onNearEnd, personId, handle, onPointing } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => rows[index]?.item.ref ?? index,
    overscan: 8,
  });
  const visible = virtualizer.getVirtualItems();
  const lastVisible = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && lastVisible >= rows.length - READ_AHEAD) onNearEnd();
  }, [hasMore, lastVisible, rows.length, onNearEnd]);
  useEffect(() => {
    handle.current = {
      showRow: (index) => virtualizer.scrollToIndex(index, { align: "auto" }),
      focusRow: (index) => {
        virtualizer.scrollToIndex(index, { align: "auto" });
        const ref = rows[index]?.item.ref ?? "";
        const focus = () => scroller.current?.querySelector<HTMLElement>(`[data-ref="${ref}"]`)?.focus();
        // The row is in the document once the list has scrolled.
        requestAnimationFrame(() => requestAnimationFrame(focus));
        focus();
      },
    };
  }, [handle, virtualizer, rows]);
  return (
    <div
      ref={scroller}
      className="min-h-0 flex-1 overflow-y-auto overscroll-contain"
      onPointerEnter={() => onPointing(true)}
      onPointerLeave={() => onPointing(false)}
    >
      <ul aria-label="Cases" className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {visible.map(({ index, key, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <li
              key={key}
              aria-setsize={hasMore ? -1 : rows.length}
              aria-posinset={index + 1}
              className="absolute inset-x-0"
              style={{ height: ROW_HEIGHT, transform: `translateY(${start}px)` }}
            >
              <QueueRow item={row.item} isGone={row.isGone} personId={personId} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}
