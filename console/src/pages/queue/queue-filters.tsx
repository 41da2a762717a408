import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useShortcuts } from "../../shell/shortcuts.tsx";
import { type QueueSearch, readQueueSearch, type Tab } from "./queue-search.ts";

/** How long somebody may pause between two letters before the list follows, in milliseconds. */
const TYPING_MS = 250;

const TAB_WORDS: Readonly<Record<Tab, string>> = { open: "Open", mine: "Mine", decided: "Decided" };

export interface QueueFiltersProps {
  readonly search: QueueSearch;
  /** How many there are; not known for what has ended. */
  readonly counts: Readonly<Partial<Record<Tab, number | undefined>>>;
}

/** Which cases, and in what order; all of it is in the address. */
export function QueueFilters({ search, counts }: QueueFiltersProps): ReactNode {
  const tab = search.tab ?? "open";
  return (
    <div className="flex-none space-y-2.5 border-b border-line px-4 pt-3 pb-3">
      <div className="flex gap-1" role="group" aria-label="Which cases">
        {(["open", "mine", "decided"] as const).map((name) => (
          <Link
            key={name}
            to="/"
            search={name === "open" ? {} : { tab: name }}
            activeOptions={{ exact: true }}
            aria-current={tab === name ? "page" : undefined}
            data-chosen={tab === name ? "" : undefined}
            className="rounded-lg px-3 py-1.5 text-quiet hover:bg-hover data-chosen:bg-chosen data-chosen:font-medium data-chosen:text-ink"
          >
            {TAB_WORDS[name]}
            {counts[name] !== undefined && <span className="tabular-nums"> ({counts[name]})</span>}
          </Link>
        ))}
      </div>
      <SearchField search={search} />
      <div className="flex gap-2">
        {tab !== "decided" && <OrderField search={search} />}
        <ScoreField search={search} />
      </div>
    </div>
  );
}

/** The way to what nobody knows the outcome of. */
export function UnknownOutcomes(props: { readonly search: QueueSearch; readonly count: number }): ReactNode {
  const { search, count } = props;
  const isShown = search.show === "unknown";
  if ((search.tab ?? "open") !== "open" || (count === 0 && !isShown)) return null;
  return (
    <Link
      to="/"
      search={isShown ? {} : { show: "unknown" }}
      activeOptions={{ exact: true }}
      aria-current={isShown ? "page" : undefined}
      className="block border-t border-line bg-care-soft px-4 py-2 text-care hover:underline focus-visible:-outline-offset-2"
    >
      <b className="font-medium">Outcome unknown ({count})</b>
      {isShown ? " · show all open cases" : " · find out"}
    </Link>
  );
}

function useChange() {
  const navigate = useNavigate();
  return (change: Readonly<Record<string, string>>) =>
    void navigate({
      to: ".",
      search: (before) => readQueueSearch({ ...before, ...change }),
      replace: true,
    });
}

function SearchField({ search }: { readonly search: QueueSearch }): ReactNode {
  const change = useChange();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(search.q ?? "");
  const typing = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Whoever is typing is ahead of the address.
  useEffect(() => {
    if (document.activeElement !== input.current) setText(search.q ?? "");
  }, [search.q]);
  useEffect(() => () => clearTimeout(typing.current), []);
  useShortcuts({ "/": () => input.current?.select() });
  return (
    <input
      ref={input}
      type="search"
      className="field"
      placeholder="Tool, agent, upstream, evt_…"
      aria-label="Search cases"
      aria-keyshortcuts="/"
      value={text}
      onChange={(event) => {
        const { value } = event.target;
        setText(value);
        clearTimeout(typing.current);
        typing.current = setTimeout(() => change({ q: value }), TYPING_MS);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") input.current?.blur();
      }}
    />
  );
}

const SELECT = "min-w-0 flex-1 rounded-lg border border-edge bg-surface px-2 py-1 text-[0.87rem]";

function OrderField({ search }: { readonly search: QueueSearch }): ReactNode {
  const change = useChange();
  return (
    <select
      className={SELECT}
      aria-label="Order"
      value={search.order ?? "deadline"}
      onChange={(event) => change({ order: event.target.value })}
    >
      <option value="deadline">Next deadline first</option>
      <option value="risk">Highest risk first</option>
    </select>
  );
}

function ScoreField({ search }: { readonly search: QueueSearch }): ReactNode {
  const change = useChange();
  return (
    <select
      className={SELECT}
      aria-label="Risk score"
      value={search.min ?? ""}
      onChange={(event) => change({ min: event.target.value })}
    >
      <option value="">Every score</option>
      <option value="40">Score 40 and more</option>
      <option value="70">Score 70 and more</option>
      <option value="90">Score 90 and more</option>
    </select>
  );
}
