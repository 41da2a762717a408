import { type Case, isTerminal } from "../domain/case.ts";
import type { Clock } from "../domain/clock.ts";
import { sha256 } from "../domain/digest.ts";
import { type CaseRef, newCaseRef, randomHex } from "../domain/ids.ts";
import type { ReasonId } from "../domain/reasons.ts";
import type { CatalogTool } from "../domain/tool.ts";
import type { ArgumentSchemas } from "./argument-schema.ts";
import { type AssessCaseDeps, assessCase } from "./assess-case.ts";
import { answerOfCase } from "./case-answer.ts";
import { isSettled, watchCase } from "./case-watch.ts";
import {
  DISPATCH_WITHIN_MS,
  meteredDispatch,
  notSentReason,
  type RecordDispatchDeps,
  recordDispatch,
  settleWithinMs,
  verdictOn,
} from "./dispatch.ts";
import { createHold, type Hold } from "./hold.ts";
import type { LiveCaller } from "./live-client.ts";
import { type CallTimer, type Meter, startCallTimer } from "./meter.ts";
import type { CallRetry, CaseStore, DispatchOutcome, GuardStore, Upstreams } from "./ports.ts";
import type { CallAnswer, RawCall } from "./raw-call.ts";
import { bindingOf, type RequestStates, readRetry } from "./request-state.ts";
import { type RuleCallDeps, type RuledCall, ruleCall } from "./rule-call.ts";
import type { OpenCaseParams, OpenCaseResult } from "./transitions/open-case.ts";
import type { OutcomeResult } from "./transitions/outcome.ts";
import { type Durability, payload } from "./transitions/plan.ts";

export interface GovernCallDeps extends RuleCallDeps, RecordDispatchDeps, Pick<AssessCaseDeps, "assessing"> {
  readonly store: CaseStore & AssessCaseDeps["store"] & Pick<GuardStore, "acceptanceOf">;
  readonly upstreams: Upstreams;
  readonly schemas: ArgumentSchemas;
  readonly clock: Clock;
  readonly reviewForMs: number;
  readonly runWithinMs: number;
  /** How long a call is held while machines still work on it. */
  readonly holdMs: number;
  readonly maxResultBytes: number;
  /** Envelopes around what upstreams want back with an answer. */
  readonly requestStates: RequestStates;
  /** Answers of calls that are running in this process, for callers that joined them. */
  readonly running: Map<CaseRef, Promise<CallAnswer>>;
  readonly meter: Meter;
}

/** How often a call is ruled by one policy that is not the one in force, before it is refused: another gateway has a newer one. */
const MAX_RULINGS_BY_ONE_POLICY = 3;

/**
 * The one way of a call through the gateway: resolve the tool, check the arguments, rule, open the
 * case, and then run it, park it or refuse it.
 */
export async function governCall(call: RawCall, deps: GovernCallDeps): Promise<CallAnswer> {
  const { agentId, client = null } = call;
  const session = client?.session ?? randomHex(16, deps.random);
  const timer = startCallTimer(deps.clock);
  try {
    const answer = await govern(call, { session, client }, timer, deps);
    deps.meter.answered({ agentId, ...meteredAnswer(answer), governanceMs: timer.ownMs() });
    return answer;
  } finally {
    if (session !== client?.session) deps.upstreams.endSession({ agentId, session });
  }
}

function meteredAnswer(answer: CallAnswer) {
  const { kind } = answer;
  if (kind === "refused") return { kind, reasonId: answer.reasonId, ref: answer.ref };
  return { kind, reasonId: null, ref: kind === "pending" ? answer.case.ref : null };
}

async function govern(
  call: RawCall,
  caller: LiveCaller,
  timer: CallTimer,
  deps: GovernCallDeps,
): Promise<CallAnswer> {
  const tool = deps.upstreams.findTool(call.exposedName);
  if (tool === undefined) return refuseCall(call, "tool.unknown", null, deps);

  const args: unknown = JSON.parse(call.argumentsText);
  if (!isObject(args)) return refuseCall(call, "arguments.invalid", "arguments must be an object", deps);
  const checked = deps.schemas.check(tool, args);
  if (checked.kind === "invalid") return refuseCall(call, "arguments.invalid", checked.detail, deps);

  const binding = bindingOf(call, { upstream: tool.upstream, tool: tool.name });
  const retry = readRetry(call, binding, deps.requestStates);
  if (retry === undefined) return refuseCall(call, "request_state.invalid", null, deps);

  const schemaUsable = checked.kind === "valid";
  let outdated = "";
  for (let rulings = 1; rulings <= MAX_RULINGS_BY_ONE_POLICY; rulings++) {
    // One copy for each ruling: a reload between two awaits must not mix two configurations.
    const rules = { ...deps };
    const acceptance = await deps.store.acceptanceOf(tool);
    const manifest = acceptance?.manifest ?? null;
    const acceptanceRevision = acceptance?.revision ?? null;
    const ruled = ruleCall({ agentId: call.agentId, tool, args, schemaUsable, manifest }, rules);
    const runsNow = ruled.observe || ruled.ruling.to === "AUTHORIZED";
    const { upstream, upstreamFingerprint } = tool;
    const target = { upstream, upstreamFingerprint, agentId: call.agentId, ...caller };
    if (runsNow) await timer.await(deps.upstreams.readyLive(target));
    // Read before the claim commits: a process that sleeps between the two must not send.
    const dispatchByMonotonicMs = deps.clock.monotonicMs() + DISPATCH_WITHIN_MS;
    const opened = await openCase(call, tool, { ...ruled, acceptanceRevision }, rules);
    if (opened.kind === "policy_outdated") {
      // However often it is reloaded meanwhile, no call is lost to that.
      if (ruled.policy.version !== outdated) rulings = 0;
      outdated = ruled.policy.version;
      continue;
    }
    if (opened.kind === "refused") return refuseCall(call, opened.reasonId, null, deps);
    if (opened.kind === "joined") return timer.await(joinCase(opened.case, call, deps));
    const live = { call, retry, caller, timer, case: opened.case };
    if (opened.case.state === "ASSESSING") return timer.await(holdWhileAssessing(live, deps));
    if (opened.token === null) return answerOfCase(opened.case, null, null);
    const { token, durability } = opened;
    const run = { ...live, token, dispatchByMonotonicMs, durability };
    return untilEnded(opened.case.ref, dispatchLive(run, deps), deps);
  }
  return refuseCall(call, "policy.error", "the policy keeps changing; call the tool again", deps);
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function openCase(
  call: RawCall,
  tool: CatalogTool,
  ruled: RuledCall & Pick<OpenCaseParams, "acceptanceRevision">,
  deps: GovernCallDeps,
): Promise<OpenCaseResult> {
  return deps.store.openCase({
    ref: newCaseRef(deps.random),
    nonce: randomHex(16, deps.random),
    agentId: call.agentId,
    tool,
    arguments: payload("arguments", call.argumentsText, deps.random),
    meta: call.metaText === null ? null : payload("meta", call.metaText, deps.random),
    assessment: ruled.assessment,
    policy: ruled.policy,
    threshold: deps.threshold,
    ruling: ruled.ruling,
    safeToRepeat: ruled.safeToRepeat,
    acceptanceRevision: ruled.acceptanceRevision,
    observe: ruled.observe,
    writer: deps.writer,
    settleWithinMs: settleWithinMs(deps.upstreams.deadlineMs(tool.upstream)),
    reviewForMs: deps.reviewForMs,
    runWithinMs: deps.runWithinMs,
  });
}

interface LiveCase {
  readonly call: RawCall;
  readonly retry: CallRetry | null;
  readonly caller: LiveCaller;
  readonly timer: CallTimer;
  readonly case: Case;
}

interface LiveRun extends LiveCase {
  readonly token: number;
  readonly dispatchByMonotonicMs: number;
  readonly durability: Durability;
}

/** Lets callers of the same call wait for this answer, which goes on if its own agent goes away. */
async function untilEnded(
  ref: CaseRef,
  answer: Promise<CallAnswer>,
  deps: GovernCallDeps,
): Promise<CallAnswer> {
  deps.running.set(ref, answer);
  try {
    return await answer;
  } finally {
    deps.running.delete(ref);
  }
}

/**
 * Holds a call while a model is asked about it. If the score comes in that time and lets it pass, the call runs in the same
 * answer; later the case goes on without the agent, and its result is kept.
 */
function holdWhileAssessing(live: LiveCase, deps: GovernCallDeps): Promise<CallAnswer> {
  const hold = createHold(deps.holdMs, live.call.signal);
  // Waiting for a model is counted as a whole by the caller's timer; what is waited for inside must not count twice.
  const untimed = { ...live, timer: startCallTimer(deps.clock) };
  const answer = untilEnded(live.case.ref, assessLive(untimed, hold, deps), deps).finally(() => hold.done());
  return Promise.race([answer, hold.over.then((): CallAnswer => ({ kind: "pending", case: live.case }))]);
}

async function assessLive(live: LiveCase, hold: Hold, deps: GovernCallDeps): Promise<CallAnswer> {
  const { call, caller, case: opened } = live;
  let dispatchByMonotonicMs = Number.NEGATIVE_INFINITY;
  const keepForRun = async () => {
    if (!hold.take()) return false;
    const { upstream, upstreamFingerprint } = opened;
    await deps.upstreams.readyLive({ upstream, upstreamFingerprint, agentId: call.agentId, ...caller });
    // Read before the claim commits: a process that sleeps between the two must not send.
    dispatchByMonotonicMs = deps.clock.monotonicMs() + DISPATCH_WITHIN_MS;
    return true;
  };
  // The store has said in its own log why; the case is on record, and the engine will look at it again.
  const assessed = await assessCase(opened.ref, deps, keepForRun).catch(() => null);
  const token = assessed?.kind === "assessed" ? assessed.token : null;
  return assessed === null || token === null
    ? answerOfCase(assessed?.case ?? opened, null, null)
    : dispatchLive({ ...live, case: assessed.case, token, dispatchByMonotonicMs, durability: "full" }, deps);
}

async function dispatchLive(run: LiveRun, deps: GovernCallDeps): Promise<CallAnswer> {
  const { call } = run;
  const dispatch = () =>
    deps.upstreams.dispatchLive({
      upstream: run.case.upstream,
      upstreamFingerprint: run.case.upstreamFingerprint,
      agentId: call.agentId,
      ...run.caller,
      tool: run.case.tool,
      argumentsText: call.argumentsText,
      metaText: call.metaText,
      ...(run.retry && { retry: run.retry }),
      dispatchByMonotonicMs: run.dispatchByMonotonicMs,
      ...(call.onProgress && { onProgress: call.onProgress }),
      // Only a call that may be repeated may be broken off; any other is read to its deadline.
      ...(call.signal && run.case.safeToRepeat && { signal: call.signal }),
    });
  const outcome = await run.timer.await(meteredDispatch(run.case, dispatch, deps));
  if (outcome.kind === "not_sent") return recordNotSent(run, outcome, deps);
  const { ref, safeToRepeat } = run.case;
  const { token, durability } = run;
  const { maxResultBytes } = deps;
  const recorded = await isRecorded(
    recordDispatch({ ref, token, outcome, safeToRepeat, live: true, maxResultBytes, durability }, deps),
  );
  // The agent must not take a run that nobody recorded for one that is on record.
  return recorded
    ? liveAnswer(outcome, run, deps)
    : { kind: "refused", reasonId: "outcome.not_recorded", detail: null, ref };
}

async function isRecorded(recording: Promise<OutcomeResult>): Promise<boolean> {
  try {
    return (await recording).kind === "recorded";
  } catch {
    // The store has said why in its own log.
    return false;
  }
}

async function recordNotSent(
  run: LiveRun,
  outcome: Extract<DispatchOutcome, { kind: "not_sent" }>,
  deps: GovernCallDeps,
): Promise<CallAnswer> {
  const reasonId = notSentReason(outcome);
  await deps.store.recordOutcome({
    ref: run.case.ref,
    writer: deps.writer,
    token: run.token,
    to: "FAILED",
    reasonId,
    resultSha256: null,
    result: null,
    reported: true,
  });
  return { kind: "refused", reasonId, detail: null, ref: run.case.ref };
}

function liveAnswer(
  outcome: Exclude<DispatchOutcome, { kind: "not_sent" }>,
  run: LiveRun,
  deps: GovernCallDeps,
): CallAnswer {
  const { case: current, call } = run;
  const { reasonId } = verdictOn(outcome, current.safeToRepeat);
  if (outcome.kind === "asked") {
    const theirs = outcome.result["requestState"];
    const binding = bindingOf(call, current);
    const requestState = deps.requestStates.seal(binding, typeof theirs === "string" ? theirs : null);
    return { kind: "result", result: { ...outcome.result, requestState } };
  }
  if (outcome.kind === "protocol_error") return { kind: "rpc_error", error: outcome.error };
  if (outcome.kind === "answered" && reasonId !== "upstream.input_required") {
    return { kind: "result", result: outcome.result };
  }
  return { kind: "refused", reasonId, detail: null, ref: current.ref };
}

/** The same call is under way already: wait a little for its answer, then give its reference. */
async function joinCase(joined: Case, call: RawCall, deps: GovernCallDeps): Promise<CallAnswer> {
  const running = deps.running.get(joined.ref);
  const current = await watchCase(
    { ref: joined.ref, waitMs: deps.holdMs, until: isSettled, signal: call.signal },
    deps.store,
  );
  if (current === null) return { kind: "pending", case: joined };
  if (running !== undefined && isTerminal(current.state)) {
    const live = await running;
    if (live.kind !== "pending") return live;
  }
  const result = isTerminal(current.state) ? await deps.store.getPayload(current.ref, "result") : null;
  const reason = current.state === "REJECTED" ? await deps.store.getPayload(current.ref, "reason") : null;
  return answerOfCase(current, result, reason);
}

async function refuseCall(
  call: RawCall,
  reasonId: ReasonId,
  detail: string | null,
  deps: GovernCallDeps,
): Promise<CallAnswer> {
  await deps.store.recordRefusal({ agentId: call.agentId, reasonId, toolSha256: sha256(call.exposedName) });
  return { kind: "refused", reasonId, detail, ref: null };
}
