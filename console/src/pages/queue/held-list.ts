import { useLayoutEffect, useRef } from "react";

/** One row, as it is shown. */
export interface Shown<Item> {
  readonly item: Item;
  /** It left the list while the list was held. */
  readonly isGone: boolean;
}

export interface HeldList<Item> {
  readonly rows: readonly Shown<Item>[];
  /** New ones that are not shown while the list is held. */
  readonly waiting: number;
}

/**
 * The list while somebody points at it: what is there keeps its place and changes in place, what left stays and says so, and
 * what is new waits; only what comes after the last row, as when somebody scrolls, is added.
 */
export function hold<Item extends { readonly ref: string }>(
  rows: readonly Shown<Item>[],
  items: readonly Item[],
): HeldList<Item> {
  const now = new Map(items.map((item) => [item.ref, item]));
  const known = new Set(rows.map(({ item }) => item.ref));
  const kept = rows.map(({ item }) => {
    const current = now.get(item.ref);
    return { item: current ?? item, isGone: current === undefined };
  });
  const last = items.findLastIndex((item) => known.has(item.ref));
  const added = items.slice(last + 1).map((item) => ({ item, isGone: false }));
  const isEmpty = rows.length === 0;
  const waiting = items.slice(0, last + 1).filter((item) => !known.has(item.ref)).length;
  return {
    rows: isEmpty || last >= 0 ? [...kept, ...added] : kept,
    waiting: last < 0 && !isEmpty ? items.length : waiting,
  };
}

/**
 * The list as it may be shown now.
 *
 * @param held.of what is listed; another list is not held by what was shown of this one
 */
export function useHeldList<Item extends { readonly ref: string }>(
  items: readonly Item[],
  held: { readonly isHeld: boolean; readonly of: string },
): HeldList<Item> {
  const shown = useRef<{ readonly of: string; readonly rows: readonly Shown<Item>[] }>({ of: "", rows: [] });
  const list =
    held.isHeld && shown.current.of === held.of
      ? hold(shown.current.rows, items)
      : { rows: items.map((item) => ({ item, isGone: false })), waiting: 0 };
  useLayoutEffect(() => {
    shown.current = { of: held.of, rows: list.rows };
  });
  return list;
}
