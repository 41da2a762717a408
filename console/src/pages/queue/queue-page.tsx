import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { mineQuery } from "../../gateway/queries.ts";
import { Button } from "../../parts/button.tsx";
import { useSession } from "../../shell/session.tsx";
import { useShortcuts } from "../../shell/shortcuts.tsx";
import { type Shown, useHeldList } from "./held-list.ts";
import { QueueFilters, UnknownOutcomes } from "./queue-filters.tsx";
import { QueueList, type QueueListHandle } from "./queue-list.tsx";
import { useQueue } from "./use-queue.ts";

/** The queue, and beside it (on a phone: instead of it) the case that is open. */
export function QueuePage(): ReactNode {
  const { ref } = useParams({ strict: false });
  const isOpen = ref !== undefined;
  return (
    <div className="grid h-full lg:grid-cols-[25rem_minmax(0,1fr)]">
      <nav
        aria-label="Cases"
        className={`min-h-0 flex-col border-r border-line bg-surface lg:flex ${isOpen ? "hidden" : "flex"}`}
      >
        <Queue openRef={ref} />
      </nav>
      <div className={`min-h-0 min-w-0 ${isOpen ? "" : "hidden lg:block"}`}>
        <Outlet />
      </div>
    </div>
  );
}

function Queue({ openRef }: { readonly openRef: string | undefined }): ReactNode {
  const { search, read, cases, counts } = useQueue();
  const { person } = useSession();
  const mine = useQuery(mineQuery(person.id)).data?.cases.length;
  const [isPointing, setPointing] = useState(false);
  const { rows, waiting } = useHeldList(cases, { isHeld: isPointing, of: JSON.stringify(search) });
  const handle = useRef<QueueListHandle>(null);
  useTitle(counts?.AWAITING_REVIEW ?? 0);
  useQueueKeys({ rows, openRef, handle });
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = read;
  const onNearEnd = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  return (
    <>
      {openRef === undefined ? <h1 className="sr-only">Cases</h1> : <h2 className="sr-only">Cases</h2>}
      <QueueFilters
        search={search}
        counts={{ open: counts === undefined ? undefined : counts.AWAITING_REVIEW + counts.UNKNOWN, mine }}
      />
      {read.error !== null && (
        <p role="alert" className="px-4 py-3 text-grave">
          {read.error.message}
        </p>
      )}
      {read.data !== undefined && rows.length === 0 ? (
        <p className="flex-1 px-6 py-10 text-center text-quiet text-balance">{emptyWords(search)}</p>
      ) : (
        <QueueList
          rows={rows}
          hasMore={hasNextPage}
          onNearEnd={onNearEnd}
          personId={person.id}
          handle={handle}
          onPointing={setPointing}
        />
      )}
      {/* At the end, so that nothing above it moves when it comes. */}
      <p role="status" className="flex-none">
        {waiting > 0 && (
          <Button
            look="bare"
            className="w-full rounded-none bg-chosen text-accent"
            onClick={() => setPointing(false)}
          >
            {waiting} new — show now
          </Button>
        )}
      </p>
      <UnknownOutcomes search={search} count={counts?.UNKNOWN ?? 0} />
    </>
  );
}

function emptyWords(search: ReturnType<typeof useQueue>["search"]): string {
  if (search.q !== undefined || search.min !== undefined) return "No case is like that.";
  if (search.tab === "mine")
    return "You have not taken a case. Take one, and others see that you work on it.";
  if (search.tab === "decided") return "Nobody has decided a case yet.";
  return "Nothing waits for a decision. New cases appear here by themselves.";
}

function useTitle(waiting: number): void {
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) ATLAS Governance Console` : "ATLAS Governance Console";
  }, [waiting]);
}

interface QueueKeysParams {
  readonly rows: readonly Shown<{ readonly ref: string }>[];
  readonly openRef: string | undefined;
  readonly handle: React.RefObject<QueueListHandle | null>;
}

/** j and k: from case to case when one is open, from row to row otherwise. */
function useQueueKeys({ rows, openRef, handle }: QueueKeysParams): void {
  const navigate = useNavigate();
  const step = useCallback(
    (by: 1 | -1) => {
      const focused = document.activeElement?.getAttribute("data-ref") ?? undefined;
      const at = rows.findIndex(({ item }) => item.ref === (openRef ?? focused));
      const next = at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1);
      const row = rows[next];
      if (row === undefined) return;
      if (openRef === undefined) return handle.current?.focusRow(next);
      handle.current?.showRow(next);
      void navigate({ to: "/cases/$ref", params: { ref: row.item.ref }, search: (before) => before });
    },
    [rows, openRef, handle, navigate],
  );
  useShortcuts({ j: () => step(1), k: () => step(-1) });
}

/** Beside the queue, before a case is chosen. */
export function NoCase(): ReactNode {
  const { cases } = useQueue();
  return (
    <p className="grid h-full place-items-center p-10 text-center text-quiet">
      {cases.length > 0
        ? "Choose a case to see exactly what would run."
        : "Leave this page open: it follows the gateway by itself."}
    </p>
  );
}
