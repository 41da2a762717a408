import { type Assessment, failedAssessment } from "../domain/assessment.ts";
import type { Case } from "../domain/case.ts";
import type { CaseRef, WriterId } from "../domain/ids.ts";
import type { AssessedCall } from "../risk/assessed-call.ts";
import { combine } from "../risk/combine.ts";
import type { ModelAnswer, ModelFailure } from "../risk/models/judge.ts";
import { settleWithinMs } from "./dispatch.ts";
import type { CaseStore, GuardStore, Upstreams } from "./ports.ts";
import { assessByRules, assessedCall, type RuleCallDeps, ruleOn } from "./rule-call.ts";
import type { Acceptance } from "./transitions/acceptance.ts";
import type { AssessmentResult } from "./transitions/assessment.ts";
import { payload } from "./transitions/plan.ts";

/** Assessments under way in this process: whoever drives a case that is being assessed waits for the one that runs. */
export type Assessing = Map<CaseRef, Promise<AssessedCase | null>>;

export type AssessedCase = Extract<AssessmentResult, { kind: "assessed" | "not_assessing" }>;

export interface AssessCaseDeps extends RuleCallDeps {
  readonly store: Pick<CaseStore, "getCase" | "getPayload" | "recordAssessment" | "onChange"> &
    Pick<GuardStore, "getDefinition" | "acceptanceOf">;
  readonly upstreams: Pick<Upstreams, "listTools" | "deadlineMs">;
  readonly writer: WriterId;
  readonly reviewForMs: number;
  readonly runWithinMs: number;
  readonly assessing: Assessing;
}

/** How often a score is ruled on anew because the policy changed under it, before the engine looks again. */
const MAX_RULINGS = 3;

/**
 * Asks the model about a case that waits for its score, and sends the case where the score says. A model that
 * is not asked any more (the case was withdrawn, the gateway stops) leaves the case as it is. Safe to repeat: the first
 * to record wins.
 *
 * @param keepForRun asked once the call may run: true when its agent waits and the claim is to be made with the same commit
 * @returns null when nothing was recorded and nothing is known to have changed
 */
export function assessCase(
  ref: CaseRef,
  deps: AssessCaseDeps,
  keepForRun: () => Promise<boolean> = async () => false,
): Promise<AssessedCase | null> {
  const underWay = deps.assessing.get(ref);
  if (underWay !== undefined) return underWay;
  const assessed = assess(ref, deps, keepForRun).finally(() => deps.assessing.delete(ref));
  deps.assessing.set(ref, assessed);
  return assessed;
}

async function assess(
  ref: CaseRef,
  deps: AssessCaseDeps,
  keepForRun: () => Promise<boolean>,
): Promise<AssessedCase | null> {
  const current = await deps.store.getCase(ref);
  if (current?.state !== "ASSESSING") return ended(current);
  const acceptance = await acceptanceOf(current, deps);
  const call = await readCall(current, acceptance, deps);
  const judged = call === null ? null : await judge(ref, call, deps);
  if (judged?.kind === "failure" && judged.cause === "stopped") return ended(await deps.store.getCase(ref));
  const recorded = await record({ current, acceptance, call, judged }, deps, keepForRun);
  // The model was told of a tool what its admin does not say any more.
  return recorded === "accepted_anew" ? assess(ref, deps, keepForRun) : recorded;
}

const acceptanceOf = ({ upstream, tool, toolPin }: Case, { store }: Pick<AssessCaseDeps, "store">) =>
  store.acceptanceOf({ upstream, name: tool, pin: toolPin });

function ended(current: Case | null): AssessedCase | null {
  return current === null || current.state === "ASSESSING" ? null : { kind: "not_assessing", case: current };
}

/** The call as it is on record; null when it is not there whole. */
async function readCall(
  current: Case,
  acceptance: Acceptance | null,
  deps: AssessCaseDeps,
): Promise<AssessedCall | null> {
  const argumentsText = await deps.store.getPayload(current.ref, "arguments");
  const definition = await deps.store.getDefinition(current.toolPin);
  if (argumentsText === null || definition === null) return null;
  const args: { readonly [key: string]: unknown } = JSON.parse(argumentsText);
  const tool = { upstream: current.upstream, definition };
  return assessedCall({ agentId: current.agentId, tool, args, manifest: acceptance?.manifest ?? null }, deps);
}

type Judged = (ModelAnswer | ModelFailure) & { readonly judge: string };

/** What the model says; null when there is none. Nobody waits for its answer once the case has been withdrawn. */
async function judge(ref: CaseRef, call: AssessedCall, deps: AssessCaseDeps): Promise<Judged | null> {
  const { judging, store } = deps;
  if (judging === undefined) return null;
  const withdrawn = new AbortController();
  const stop = store.onChange((change) => {
    if (change.ref === ref) withdrawn.abort();
  });
  try {
    const limits = { signal: withdrawn.signal, deadlineMs: judging.deadlineMs };
    return { judge: judging.judge.id, ...(await judging.judge.judge(call, limits)) };
  } finally {
    stop();
  }
}

interface Material {
  readonly current: Case;
  readonly acceptance: Acceptance | null;
  readonly call: AssessedCall | null;
  readonly judged: Judged | null;
}

/** One score of the rules and of the model. */
function scoreOf(
  { call, judged }: Material,
  { assessor, threshold }: Pick<AssessCaseDeps, "assessor" | "threshold">,
): Assessment {
  if (call === null) return failedAssessment("The call is not on record whole.");
  const embedded = assessByRules(call, { assessor });
  return judged === null ? embedded : combine({ embedded, judge: judged.judge, model: judged, threshold });
}

async function record(
  material: Material,
  deps: AssessCaseDeps,
  keepForRun: () => Promise<boolean>,
): Promise<AssessedCase | "accepted_anew" | null> {
  const { current, acceptance, judged } = material;
  let claim: boolean | undefined;
  for (let ruling = 0; ruling < MAX_RULINGS; ruling++) {
    // One copy for each ruling: a reload between two awaits must not mix two configurations.
    const rules = { ...deps };
    const value = scoreOf(material, rules);
    const { verdict, ruleId, version, ...evaluation } = rules.policy.evaluate(current);
    const next = ruleOn({ verdict, ruleId, version, ...evaluation }, value, rules.threshold);
    if (next.to === "AUTHORIZED") claim ??= await keepForRun();
    const result = await deps.store.recordAssessment({
      ref: current.ref,
      writer: deps.writer,
      policy: { verdict, ruleId, version },
      assessment: { value, payload: payload("assessment", JSON.stringify(value), deps.random) },
      judgement: judged === null ? null : payload("judgement", JSON.stringify(judged), deps.random),
      threshold: rules.threshold,
      ruling: next,
      safeToRepeat: isSafeToRepeat(current, deps) || (next.to === "AUTHORIZED" && value.read_only),
      acceptanceRevision: acceptance?.revision ?? null,
      claim: claim ?? false,
      settleWithinMs: settleWithinMs(deps.upstreams.deadlineMs(current.upstream)),
      reviewForMs: rules.reviewForMs,
      runWithinMs: rules.runWithinMs,
    });
    if (result.kind === "unknown_case") return null;
    if (result.kind !== "policy_outdated") return result;
    const latest = await acceptanceOf(current, deps);
    if (latest?.revision !== acceptance?.revision) return "accepted_anew";
  }
  return null;
}

function isSafeToRepeat(current: Case, { upstreams }: Pick<AssessCaseDeps, "upstreams">): boolean {
  const tool = upstreams.listTools().find((t) => t.upstream === current.upstream && t.name === current.tool);
  return tool?.safeToRepeat ?? false;
}
