import { z } from "zod";
import { sha256 } from "../domain/digest.ts";
import { fail, ok, type Result } from "../domain/errors.ts";
import type { CaseRef, Sha256Hex, WriterId } from "../domain/ids.ts";
import { canonicalJson, type JsonValue } from "../domain/jcs.ts";

/** An event as a database holds it; `bytes` is authoritative and the rest must agree with it. */
export interface StoredEvent {
  readonly writer: WriterId;
  readonly sequence: number;
  readonly ref: CaseRef | null;
  readonly hash: Sha256Hex;
  readonly bytes: string;
}

const eventSchema = z.strictObject({
  v: z.literal(1),
  writer: z.string(),
  seq: z.int().positive(),
  prev: z.string().nullable(),
  at: z.iso.datetime(),
  type: z.string(),
  case: z.string().optional(),
  actor: z.strictObject({
    kind: z.enum([
      "agent",
      "reviewer",
      "admin",
      "auditor",
      "policy",
      "assessor",
      "engine",
      "dispatcher",
      "reconciler",
    ]),
    id: z.string(),
  }),
  details: z.record(z.string(), z.unknown()),
});

/** What the bytes of an event say. */
export type ReadEvent = z.infer<typeof eventSchema>;

/** Reads an event's bytes and holds the row against them; the failure is a phrase for a finding. */
export function readEvent(stored: StoredEvent): Result<ReadEvent, string> {
  if (sha256(stored.bytes) !== stored.hash)
    return fail(`event ${stored.sequence} does not have the hash that is stored with it`);
  let value: JsonValue;
  try {
    value = JSON.parse(stored.bytes);
    if (canonicalJson(value) !== stored.bytes) return fail(`event ${stored.sequence} is not canonical JSON`);
  } catch {
    // JSON.parse and the canonical form say only that it has no canonical form, which is the finding.
    return fail(`event ${stored.sequence} is not canonical JSON`);
  }
  const parsed = eventSchema.safeParse(value);
  if (!parsed.success) return fail(`event ${stored.sequence} does not have the members of an event`);
  const event = parsed.data;
  const agrees =
    event.writer === stored.writer && event.seq === stored.sequence && (event.case ?? null) === stored.ref;
  return agrees
    ? ok(event)
    : fail(`event ${stored.sequence} is stored under another writer, sequence or case than it names`);
}

/** Whether an event follows the previous one of its chain; undefined when it does, else a phrase for a finding. */
export function checkLink(
  previous: Pick<StoredEvent, "sequence" | "hash"> | undefined,
  next: StoredEvent,
): string | undefined {
  const event = readEvent(next);
  return event.ok ? linkProblem(previous, next, event.value) : event.failure;
}

export function linkProblem(
  previous: Pick<StoredEvent, "sequence" | "hash"> | undefined,
  next: StoredEvent,
  event: ReadEvent,
): string | undefined {
  const expected = (previous?.sequence ?? 0) + 1;
  if (next.sequence > expected) {
    return next.sequence === expected + 1
      ? `event ${expected} is missing`
      : `events ${expected} to ${next.sequence - 1} are missing`;
  }
  if (next.sequence < expected) return `event ${next.sequence} stands after event ${expected - 1}`;
  if (event.prev !== (previous?.hash ?? null))
    return `event ${next.sequence} does not continue the event before it`;
  return undefined;
}
