import type { Case } from "../domain/case.ts";
import type { Clock } from "../domain/clock.ts";
import { sha256 } from "../domain/digest.ts";
import { AtlasError } from "../domain/errors.ts";
import { type CaseRef, randomHex } from "../domain/ids.ts";
import type { Policy } from "../policy/policy.ts";
import {
  DISPATCH_WITHIN_MS,
  meteredDispatch,
  notSentReason,
  type RecordDispatchDeps,
  recordDispatch,
  settleWithinMs,
} from "./dispatch.ts";
import type { Meter } from "./meter.ts";
import type { CaseStore, DispatchOutcome, UpstreamSession, Upstreams } from "./ports.ts";
import type { ClaimResult } from "./transitions/claim.ts";

export interface ExecuteOnceDeps extends RecordDispatchDeps {
  readonly store: CaseStore;
  readonly upstreams: Pick<Upstreams, "openSession" | "deadlineMs">;
  readonly policy: Pick<Policy, "evaluate">;
  readonly clock: Clock;
  readonly reviewForMs: number;
  readonly maxResultBytes: number;
  readonly meter: Pick<Meter, "dispatched">;
}

/** How long a kill switch is left alone before the engine looks again. */
const STOPPED_RETRY_MS = 60_000;

/**
 * Runs one authorized case, at most once. The order is the safety:
 * 1. a fresh connection and a fresh listing of the tools, so that the claim sees the tool as it is now;
 * 2. the stored bytes are hashed again, so that what runs is what was approved;
 * 3. the claim, one transaction that checks everything again and is durable before anything is sent;
 * 4. the dispatch, which gives up by a monotonic clock;
 * 5. the outcome, under the claim's token.
 *
 * @throws AtlasError when the stored bytes are not the ones on record, or the store fails; the case stays where it is.
 */
export async function executeOnce(ref: CaseRef, deps: ExecuteOnceDeps): Promise<void> {
  const current = await deps.store.getCase(ref);
  if (current?.state !== "AUTHORIZED") return;
  const session = await connect(current, deps);
  if (session === null) return;
  try {
    await claimAndRun(current, session, deps);
  } finally {
    await session.close();
  }
}

/** null: the upstream cannot be reached, and the engine will try again. */
async function connect(current: Case, deps: ExecuteOnceDeps): Promise<UpstreamSession | null> {
  try {
    return await deps.upstreams.openSession(current.upstream);
  } catch (error) {
    // An upstream that is gone from the configuration may come back with the next start.
    const isAway =
      error instanceof AtlasError && ["upstream.unreachable", "resource.not_found"].includes(error.code);
    if (!isAway) throw error;
    await deps.store.postpone(current.ref, deps.clock.nowMs() + retryDelayMs(current.attempts));
    return null;
  }
}

async function claimAndRun(current: Case, session: UpstreamSession, deps: ExecuteOnceDeps): Promise<void> {
  const texts = await readApprovedBytes(current, deps);
  const dispatchByMonotonicMs = deps.clock.monotonicMs() + DISPATCH_WITHIN_MS;
  const claim = await claimNow(current, deps);
  if (claim.kind === "stopped") {
    await deps.store.postpone(current.ref, deps.clock.nowMs() + STOPPED_RETRY_MS);
    return;
  }
  if (claim.kind !== "claimed") return;

  const { ref, tool, safeToRepeat } = claim.case;
  const isSameEndpoint = session.upstreamFingerprint === claim.case.upstreamFingerprint;
  const dispatch = async (): Promise<DispatchOutcome> =>
    isSameEndpoint
      ? session.dispatch({ tool, ...texts, dispatchByMonotonicMs })
      : { kind: "not_sent", late: false, detail: "the configuration changed twice meanwhile" };
  const outcome = await meteredDispatch(claim.case, dispatch, deps);
  if (outcome.kind === "not_sent") {
    const reasonId = notSentReason(outcome);
    const retryAtMs = deps.clock.nowMs() + retryDelayMs(claim.case.attempts);
    await deps.store.releaseClaim({ ref, writer: deps.writer, token: claim.token, reasonId, retryAtMs });
    return;
  }
  const { maxResultBytes } = deps;
  await recordDispatch({ ref, token: claim.token, outcome, safeToRepeat, live: false, maxResultBytes }, deps);
}

/** @throws AtlasError `ledger.broken` when the stored texts are not the ones the case was approved with. */
async function readApprovedBytes(current: Case, deps: ExecuteOnceDeps) {
  const argumentsText = await deps.store.getPayload(current.ref, "arguments");
  const metaText = await deps.store.getPayload(current.ref, "meta");
  const argumentsMatch = argumentsText !== null && sha256(argumentsText) === current.argumentsSha256;
  const metaMatches = (metaText === null ? null : sha256(metaText)) === current.metaSha256;
  if (!argumentsMatch || !metaMatches) {
    throw new AtlasError(
      "ledger.broken",
      `Case ${current.ref}: the stored arguments are not the ones on record; it will not run.`,
    );
  }
  return { argumentsText, metaText };
}

async function claimNow(current: Case, deps: ExecuteOnceDeps): Promise<ClaimResult> {
  for (;;) {
    const { verdict, ruleId, version } = deps.policy.evaluate(current);
    const claim = await deps.store.claim({
      ref: current.ref,
      writer: deps.writer,
      policy: { verdict, ruleId, version },
      settleWithinMs: settleWithinMs(deps.upstreams.deadlineMs(current.upstream)),
      reviewForMs: deps.reviewForMs,
      newNonce: randomHex(16, deps.random),
    });
    // Another gateway has a newer policy than this one: leave the case to it, and to our own reload.
    if (claim.kind !== "policy_outdated") return claim;
    if (deps.policy.evaluate(current).version === version) return claim;
  }
}

/** 1 s, 2 s, 4 s … 5 min. */
function retryDelayMs(attempts: number): number {
  return Math.min(1_000 * 2 ** attempts, 5 * 60_000);
}
