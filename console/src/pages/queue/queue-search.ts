import type { CaseListQuery } from "../../gateway/queries.ts";
import { DECIDED_STATES, WAITING_STATES } from "../../text/words.ts";

export const TABS = ["open", "mine", "decided"] as const;
export type Tab = (typeof TABS)[number];
export const ORDERS = ["deadline", "risk"] as const;
export const SCORES = ["40", "70", "90"] as const;

/** What the address says of the queue; what is not there is as usual. */
export interface QueueSearch {
  readonly tab?: Tab;
  readonly order?: (typeof ORDERS)[number];
  /** Part of a name, or a reference. */
  readonly q?: string;
  /** Only scores from here on. */
  readonly min?: (typeof SCORES)[number];
  /** Only cases whose outcome nobody knows. */
  readonly show?: "unknown";
}

export function readQueueSearch(search: Record<string, unknown>): QueueSearch {
  const tab = TABS.find((known) => known === search["tab"]);
  const order = ORDERS.find((known) => known === search["order"]);
  const min = SCORES.find((known) => known === search["min"]);
  const q = typeof search["q"] === "string" ? search["q"].slice(0, 200) : "";
  return {
    ...(tab !== undefined && tab !== "open" && { tab }),
    ...(order !== undefined && order !== "deadline" && { order }),
    ...(min !== undefined && { min }),
    ...(q !== "" && { q }),
    ...(search["show"] === "unknown" && { show: "unknown" }),
  };
}

/** The same as a query of the API. */
export function listQueryOf(search: QueueSearch, personId: string): CaseListQuery {
  const { tab = "open", order = "deadline", q = "", min, show } = search;
  const text = q.trim();
  return {
    ...(tab === "decided"
      ? // What never came to a human is not a decision; it would bury those that did.
        { state: DECIDED_STATES.join(","), reviewed: "true", order: "newest" }
      : { state: show === "unknown" ? "UNKNOWN" : WAITING_STATES.join(","), order }),
    ...(tab === "mine" && { taken_by: personId }),
    ...(min !== undefined && { min_score: min }),
    ...(/^evt_[a-z2-7]{0,32}$/.test(text) ? { ref: text } : text !== "" && { search: text }),
  };
}
