import type { Case } from "../domain/case.ts";
import type { Clock } from "../domain/clock.ts";
import { sha256 } from "../domain/digest.ts";
import type { CaseRef, RandomBytes, WriterId } from "../domain/ids.ts";
import type { ReasonId } from "../domain/reasons.ts";
import type { Meter } from "./meter.ts";
import type { CaseStore, DispatchOutcome } from "./ports.ts";
import type { OutcomeParams, OutcomeResult } from "./transitions/outcome.ts";
import { type Durability, payload } from "./transitions/plan.ts";

/** How long after a claim the call may still be written to the upstream. A process that was stopped for longer gives up. */
export const DISPATCH_WITHIN_MS = 5_000;

/** Added to every deadline that another clock is measured against. */
const CLOCK_MARGIN_MS = 5_000;

/** When a claim that nobody reported on may be given up, counted from the claim. */
export function settleWithinMs(upstreamDeadlineMs: number): number {
  return DISPATCH_WITHIN_MS + upstreamDeadlineMs + CLOCK_MARGIN_MS;
}

/** What a dispatch that reached, or may have reached, the upstream means for the case. */
export function verdictOn(
  outcome: Exclude<DispatchOutcome, { kind: "not_sent" }>,
  safeToRepeat: boolean,
): { readonly to: OutcomeParams["to"]; readonly reasonId: ReasonId } {
  switch (outcome.kind) {
    case "answered":
      if (outcome.result["resultType"] === "input_required")
        return { to: "FAILED", reasonId: "upstream.input_required" };
      return outcome.result.isError === true
        ? { to: "FAILED", reasonId: "upstream.tool_error" }
        : { to: "SUCCEEDED", reasonId: "upstream.answered" };
    case "protocol_error":
      return { to: "FAILED", reasonId: "upstream.protocol_error" };
    case "asked":
      return { to: "FAILED", reasonId: "upstream.input_requested" };
    case "too_large":
      // Of all that is this long, only a result makes sense.
      return { to: "SUCCEEDED", reasonId: "upstream.result_too_large" };
    case "no_answer": {
      const reasonId = outcome.cause === "timeout" ? "upstream.timeout" : "upstream.disconnected";
      return { to: safeToRepeat ? "FAILED" : "UNKNOWN", reasonId };
    }
    default:
      return outcome satisfies never;
  }
}

/** Why a call was provably not sent. */
export function notSentReason(
  outcome: Extract<DispatchOutcome, { kind: "not_sent" }>,
): "dispatch.late" | "upstream.unreachable" {
  return outcome.late ? "dispatch.late" : "upstream.unreachable";
}

/** Dispatches a claimed call and tells the meter how long that took, and what came of it. */
export async function meteredDispatch(
  claimed: Pick<Case, "ref" | "upstream" | "safeToRepeat">,
  dispatch: () => Promise<DispatchOutcome>,
  { meter, clock }: { readonly meter: Pick<Meter, "dispatched">; readonly clock: Clock },
): Promise<DispatchOutcome> {
  const from = clock.monotonicMs();
  const outcome = await dispatch();
  const reasonId =
    outcome.kind === "not_sent" ? notSentReason(outcome) : verdictOn(outcome, claimed.safeToRepeat).reasonId;
  const { ref, upstream } = claimed;
  meter.dispatched({ ref, upstream, reasonId, ms: clock.monotonicMs() - from });
  return outcome;
}

export interface RecordDispatchParams {
  readonly ref: CaseRef;
  readonly token: number;
  readonly outcome: Exclude<DispatchOutcome, { kind: "not_sent" }>;
  readonly safeToRepeat: boolean;
  /** The agent is on the line: its answer is hashed, not kept. */
  readonly live: boolean;
  readonly maxResultBytes: number;
  readonly durability?: Durability;
}

export interface RecordDispatchDeps {
  readonly store: Pick<CaseStore, "recordOutcome">;
  readonly random: RandomBytes;
  readonly writer: WriterId;
}

/** Records how a dispatched call ended. */
export function recordDispatch(
  params: RecordDispatchParams,
  deps: RecordDispatchDeps,
): Promise<OutcomeResult> {
  const { to, reasonId } = verdictOn(params.outcome, params.safeToRepeat);
  const text = answerText(params.outcome);
  return deps.store.recordOutcome({
    ref: params.ref,
    writer: deps.writer,
    token: params.token,
    to,
    reasonId,
    resultSha256: text === null ? null : sha256(text),
    result:
      params.live || text === null
        ? null
        : payload("result", capped(text, params.maxResultBytes), deps.random),
    reported: params.live,
    ...(params.durability !== undefined && { durability: params.durability }),
  });
}

function answerText(outcome: DispatchOutcome): string | null {
  if (outcome.kind === "answered" || outcome.kind === "asked")
    return JSON.stringify({ result: outcome.result });
  if (outcome.kind === "protocol_error") return JSON.stringify({ error: outcome.error });
  return null;
}

/** Over the cap the agent still learns that the call ran. */
function capped(text: string, maxBytes: number): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  const note = `The call ran, but its result of ${bytes} bytes is larger than the ${maxBytes} bytes that are kept.`;
  return JSON.stringify({ result: { content: [{ type: "text", text: note }], isError: false } });
}
