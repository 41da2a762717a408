import type { Guard } from "./guards-list.ts";

const ASSESSMENT = "src/governance/transitions/assessment.ts";
const COMBINE = "src/risk/combine.ts";
const COMBINED = "src/risk/combine.test.ts";
const MODELS = "test/risk/models.test.ts";
const STORE = "src/store/sqlite/sqlite-store.test.ts";

/** Guards between a model's word and a call that runs. */
export const MODEL_GUARDS: readonly Guard[] = [
  {
    guard: "assessment: only a case that waits for its score",
    file: ASSESSMENT,
    without: 'current.state !== "ASSESSING"',
    instead: "false",
    test: STORE,
  },
  {
    guard: "assessment: policy evaluated is the one in force",
    file: ASSESSMENT,
    without: "guards.policyVersion !== params.policy.version",
    instead: "false",
    test: STORE,
  },
  {
    guard: "assessment: what an admin said of the tool since the score",
    file: ASSESSMENT,
    without: "revision !== params.acceptanceRevision",
    instead: "false",
    test: STORE,
  },
  {
    guard: "assessment: agent enabled",
    file: ASSESSMENT,
    without: "!guards.agentEnabled",
    instead: "false",
    test: STORE,
  },
  {
    guard: "assessment: kill switch",
    file: ASSESSMENT,
    without: "guards.killSwitches.some((s) => covers(s, current))",
    instead: "false",
    test: STORE,
  },
  {
    guard: "assessment: pin and upstream as they are now",
    file: ASSESSMENT,
    without: "const reasonId = changedSince(current, guards);",
    instead: "const reasonId = ((): undefined | ReturnType<typeof changedSince> => undefined)();",
    test: STORE,
  },
  {
    guard: "model: failure is 100",
    file: COMBINE,
    without: 'model.kind === "failure"',
    instead: 'model.kind === "failure" && model.cause === "malformed"',
    test: COMBINED,
  },
  {
    guard: "model: no hard floor is lowered",
    file: COMBINE,
    without: "Math.max(floor, model.score)",
    instead: "model.score",
    test: COMBINED,
  },
  {
    guard: "model: an answer with two scores is none",
    file: "src/risk/models/answer.ts",
    without: "read.ok ? ok(read.value.value) : fail(",
    instead: "read.ok || text.length > 0 ? ok(JSON.parse(text)) : fail(",
    test: MODELS,
  },
  {
    guard: "model: the higher of both passes",
    file: "src/risk/models/judge.ts",
    without: "read.value.score > best.score",
    instead: "best.score === -1",
    test: MODELS,
  },
  {
    guard: "model: believed only with its canary",
    file: "src/risk/models/judge.ts",
    without: 'result.kind === "answer" && !proof.ok',
    instead: 'result.kind === "answer" && !proof.ok && proof.failure.cause === "timeout"',
    test: MODELS,
  },
];
