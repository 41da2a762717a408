import { z } from "zod";
import { CASE_STATES, type CaseState, TRANSITIONS } from "../domain/case.ts";
import { commitment } from "../domain/digest.ts";
import type { CaseRef } from "../domain/ids.ts";
import type { ReadEvent, StoredEvent } from "./chain.ts";
import type { Finding, FindingId } from "./finding.ts";

/** A row of `cases` as far as the ledger knows of it. */
export interface StoredCase {
  readonly ref: CaseRef;
  readonly state: string;
  readonly reasonId: string;
}

/** A text that was kept, with the salt of its commitment. */
export interface StoredPayload {
  readonly ref: CaseRef;
  readonly kind: string;
  readonly salt: string;
  readonly text: string;
}

/** Follows every case through its events, then holds the rows against where they ended. */
export interface CaseCheck {
  event(stored: StoredEvent, event: ReadEvent): void;
  row(row: StoredCase): void;
  /** Every row was shown. */
  rowsEnded(): void;
  payload(payload: StoredPayload): void;
  /** Every payload was shown. */
  payloadsEnded(): void;
  count(): number;
}

type Add = (id: FindingId, where: Finding["where"], sentence: string) => void;

interface Track {
  state: CaseState | null;
  reason: string;
  /** Digest that an approval has to name now. */
  digest: string | null;
  /** The authorization that stands, with the runs begun on it that were not given back. */
  authorization: { runs: number } | null;
  /** Token of the claim that stands. */
  token: number | null;
  readonly commitments: Map<string, string>;
  /** Kinds of texts that were shown, or erased on the record. */
  readonly accounted: Set<string>;
  rowSeen: boolean;
}

const detailsSchema = z.object({
  from: z.enum(CASE_STATES).nullable(),
  to: z.enum(CASE_STATES),
  reason: z.string(),
  digest: z.string().optional(),
  digest_authorized: z.string().optional(),
  token: z.int().optional(),
  commitments: z.record(z.string(), z.string()).optional(),
});
type CaseDetails = z.infer<typeof detailsSchema>;

export function createCaseCheck(add: Add): CaseCheck {
  const tracks = new Map<CaseRef, Track>();
  return {
    event(stored, event) {
      if (event.type === "payloads.erased") noteErasure(tracks, stored, event, add);
      if (stored.ref === null) return;
      const where = { writer: stored.writer, sequence: stored.sequence, ref: stored.ref };
      const details = detailsSchema.safeParse(event.details);
      if (!details.success) {
        add(
          "case.order",
          where,
          `Event ${stored.sequence} of ${stored.writer} does not say from where to where ${stored.ref} went.`,
        );
        return;
      }
      const track = tracks.get(stored.ref) ?? newTrack();
      tracks.set(stored.ref, track);
      const report: Report = (id, problem) =>
        add(id, where, `${stored.ref}: ${problem} (event ${stored.sequence} of ${stored.writer}).`);
      checkOrder(track, event, details.data, report);
      checkRuns(track, event, details.data, report);
      follow(track, details.data);
    },
    row(row) {
      const track = tracks.get(row.ref);
      if (track === undefined) {
        add("case.row", { ref: row.ref }, `${row.ref} has a row but no event.`);
        return;
      }
      track.rowSeen = true;
      if (row.state === track.state && row.reasonId === track.reason) return;
      add(
        "case.row",
        { ref: row.ref },
        `${row.ref} is ${row.state} (${row.reasonId}) in its row, but ${track.state} (${track.reason}) by its last event.`,
      );
    },
    rowsEnded() {
      for (const [ref, track] of tracks) {
        if (!track.rowSeen) add("case.row", { ref }, `${ref} has events but no row.`);
      }
    },
    payload(payload) {
      const track = tracks.get(payload.ref);
      const expected = track?.commitments.get(payload.kind);
      track?.accounted.add(payload.kind);
      if (expected === commitment(payload.salt, payload.text)) return;
      const problem =
        expected === undefined ? "was never committed to" : "is not the one that was committed to";
      add(
        "payload.changed",
        { ref: payload.ref },
        `The text "${payload.kind}" of ${payload.ref} ${problem}.`,
      );
    },
    payloadsEnded() {
      for (const [ref, track] of tracks) {
        for (const kind of track.commitments.keys()) {
          if (track.accounted.has(kind)) continue;
          add(
            "payload.missing",
            { ref },
            `The text "${kind}" of ${ref} is gone, and no event says that it was erased.`,
          );
        }
      }
    },
    count: () => tracks.size,
  };
}

const erasureSchema = z.object({ scope: z.enum(["results", "texts"]), cases: z.array(z.string()) });

function noteErasure(
  tracks: ReadonlyMap<string, Track>,
  stored: StoredEvent,
  event: ReadEvent,
  add: Add,
): void {
  const erasure = erasureSchema.safeParse(event.details);
  if (!erasure.success) {
    const where = { writer: stored.writer, sequence: stored.sequence };
    add("event.damaged", where, `Event ${stored.sequence} of ${stored.writer} does not say what was erased.`);
    return;
  }
  for (const ref of erasure.data.cases) {
    const track = tracks.get(ref);
    const kinds = erasure.data.scope === "results" ? ["result"] : [...(track?.commitments.keys() ?? [])];
    for (const kind of kinds) track?.accounted.add(kind);
  }
}

type Report = (id: FindingId, problem: string) => void;

function newTrack(): Track {
  return {
    state: null,
    reason: "",
    digest: null,
    authorization: null,
    token: null,
    commitments: new Map(),
    accounted: new Set(),
    rowSeen: false,
  };
}

function checkOrder(track: Track, event: ReadEvent, details: CaseDetails, report: Report): void {
  if (details.from !== track.state) {
    report(
      "case.order",
      `${event.type} leaves ${details.from ?? "nothing"}, but the case was ${track.state ?? "not there"}`,
    );
  }
  const row = TRANSITIONS.find(
    (t) => t.name === event.type && t.from === details.from && t.to === details.to,
  );
  if (row === undefined) {
    report(
      "case.order",
      `no transition ${event.type} leads from ${details.from ?? "nothing"} to ${details.to}`,
    );
  } else if (!row.actors.includes(event.actor.kind)) {
    report("case.order", `${event.actor.kind} ${event.actor.id} may not do ${event.type}`);
  }
}

function checkRuns(track: Track, event: ReadEvent, details: CaseDetails, report: Report): void {
  const { type } = event;
  if (type === "case.claimed") {
    if (track.authorization === null) report("case.run", "claimed without an authorization");
    else if (track.authorization.runs > 0) report("case.run", "claimed twice on one authorization");
    if (details.token === undefined || (track.token !== null && details.token <= track.token)) {
      report("case.run", "claimed with a token that is not newer than the last");
    }
  } else if (details.from === "EXECUTING" && details.token !== track.token) {
    report("case.run", `${type} by a claim that does not stand`);
  }
  const byHuman = type === "case.authorized" && event.actor.kind === "reviewer";
  if (byHuman && (details.digest_authorized === undefined || details.digest_authorized !== track.digest)) {
    report("case.run", "authorized for another action than the one on record");
  }
}

function follow(track: Track, details: CaseDetails): void {
  const released = track.state === "EXECUTING" && details.to === "AUTHORIZED";
  if (details.to === "EXECUTING" && track.authorization !== null) track.authorization.runs += 1;
  else if (released && track.authorization !== null) track.authorization.runs -= 1;
  else if (details.to === "AUTHORIZED") track.authorization = { runs: 0 };
  else if (details.from !== "EXECUTING") track.authorization = null;
  if (details.to === "EXECUTING") track.token = details.token ?? null;
  track.state = details.to;
  track.reason = details.reason;
  track.digest = details.digest ?? track.digest;
  for (const [kind, value] of Object.entries(details.commitments ?? {})) track.commitments.set(kind, value);
}
