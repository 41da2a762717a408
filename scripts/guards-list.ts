// Each line: a guard of an invariant, the text that is it, what stands there when it is gone, and the test that must notice.
import { GUARDS_OF_CONSOLE } from "./guards-of-console.ts";
import { MODEL_GUARDS } from "./guards-of-models.ts";
import { GUARDS_OF_PEOPLE } from "./guards-of-people.ts";
import { READ_GUARDS } from "./guards-of-reads.ts";
import { GUARDS_OF_RELOADS } from "./guards-of-reloads.ts";
import { RUN_GUARDS } from "./guards-of-runs.ts";
import { GUARDS_OF_SESSIONS } from "./guards-of-sessions.ts";
import { GUARDS_OF_TOKENS } from "./guards-of-tokens.ts";

const CLAIM = "src/governance/transitions/claim.ts";
const DECISION = "src/governance/transitions/decision.ts";
const OPEN = "src/governance/transitions/open-case.ts";
const LISTING = "src/governance/transitions/listing.ts";
const RULING = "src/governance/transitions/ruling.ts";
const STORE = "src/store/sqlite/sqlite-store.test.ts";
const CALL = "src/governance/govern-call.test.ts";
const ENGINE = "src/engines/embedded.test.ts";

export interface Guard {
  /** The guard in words. */
  readonly guard: string;
  readonly file: string;
  /** Text of the guard; stands once in the file. */
  readonly without: string;
  /** What stands there when the guard is gone. */
  readonly instead: string;
  readonly test: string;
}

export const GUARDS: readonly Guard[] = [
  ...MODEL_GUARDS,
  ...GUARDS_OF_SESSIONS,
  ...READ_GUARDS,
  // 1. No run without an authorization that names its digest; a claim misses no change committed before it.
  {
    guard: "claim: only an authorized case",
    file: CLAIM,
    without: 'current.state !== "AUTHORIZED"',
    instead: "false",
    test: STORE,
  },
  {
    guard: "claim: not before the time to undo is over",
    file: CLAIM,
    without: "current.runFromMs !== null && guards.nowMs < current.runFromMs",
    instead: "false",
    test: STORE,
  },
  {
    guard: "claim: kill switch",
    file: CLAIM,
    without: "guards.killSwitches.some((s) => covers(s, current))",
    instead: "false",
    test: STORE,
  },
  {
    guard: "claim: agent enabled",
    file: CLAIM,
    without: "!guards.agentEnabled",
    instead: "false",
    test: STORE,
  },
  {
    guard: "claim: time to run",
    file: CLAIM,
    without: "current.runByMs !== null && guards.nowMs >= current.runByMs",
    instead: "false",
    test: STORE,
  },
  {
    guard: "claim: policy denies now",
    file: CLAIM,
    without: 'params.policy.verdict === "deny"',
    instead: "false",
    test: STORE,
  },
  {
    guard: "claim: policy evaluated is the one in force",
    file: CLAIM,
    without: "guards.policyVersion !== params.policy.version",
    instead: "false",
    test: STORE,
  },
  {
    guard: "claim: upstream fingerprint",
    file: CLAIM,
    without: "guards.upstreamFingerprint !== current.upstreamFingerprint",
    instead: "false",
    test: STORE,
  },
  {
    guard: "claim: tool pin",
    file: CLAIM,
    without: "guards.currentPin !== current.toolPin",
    instead: "false",
    test: CALL,
  },
  {
    guard: "claim: approval names the digest on record",
    file: CLAIM,
    without: "current.authorizedDigest === current.actionDigest ? undefined",
    instead: "true ? undefined",
    test: STORE,
  },
  {
    guard: "open: accepted pin",
    file: RULING,
    without: "guards.currentPin === call.toolPin && guards.acceptedPin === call.toolPin",
    instead: "guards.currentPin === call.toolPin",
    test: STORE,
  },
  {
    guard: "a tool that appears later is not accepted by itself",
    file: LISTING,
    without: "own.size === 0 && ",
    instead: "",
    test: STORE,
  },
  {
    guard: "where the operator wants to look first, first sight accepts nothing",
    file: LISTING,
    without: ' && params.firstSight !== "review"',
    instead: "",
    test: STORE,
  },
  {
    guard: "a tool held for its name is not accepted by itself",
    file: LISTING,
    without: "accepts && held === null",
    instead: "accepts",
    test: STORE,
  },
  {
    guard: "accept: the definition that was shown",
    file: "src/governance/transitions/acceptance.ts",
    without: "pin !== params.pin",
    instead: "false",
    test: STORE,
  },
  {
    guard: "open: what an admin said of the tool since the ruling",
    file: OPEN,
    without: "revision !== params.acceptanceRevision",
    instead: "false",
    test: STORE,
  },
  {
    guard: "claim: what an admin said of the tool since the score",
    file: CLAIM,
    without: "(guards.acceptance?.atMs ?? 0) > current.openedAtMs",
    instead: "false",
    test: STORE,
  },
  {
    guard: "a name that is not seen is not exposed",
    file: "src/mcp/upstream/catalog.ts",
    without: 'if (hidesInName(tool.name)) return "hidden";',
    instead: "",
    test: "src/mcp/upstream/catalog.test.ts",
  },
  {
    guard: "open: kill switch",
    file: OPEN,
    without: "guards.killSwitches.some((s) => covers(s, target))",
    instead: "false",
    test: STORE,
  },
  {
    guard: "run: stored bytes are hashed again",
    file: "src/governance/execute-once.ts",
    without: "!argumentsMatch || !metaMatches",
    instead: "false",
    test: CALL,
  },
  {
    guard: "bytes: duplicate keys",
    file: "src/domain/strict-json.ts",
    without: "frame.keys.has(decoded)",
    instead: "false",
    test: "src/domain/strict-json.test.ts",
  },
  {
    guard: "bytes: exact numbers",
    file: "src/domain/strict-json.ts",
    without: "!survivesDouble(text.slice(i, end))",
    instead: "false",
    test: "src/domain/strict-json.test.ts",
  },
  // 2. Nothing that a human approved runs twice.
  ...RUN_GUARDS,
  // 3. Nothing fails open.
  {
    guard: "assessor: failure is 100",
    file: "src/governance/rule-call.ts",
    without: 'return failedAssessment("The assessor failed.");',
    instead: "throw new Error();",
    test: "src/governance/rule-call.test.ts",
  },
  {
    guard: "assessor: a score that is no number pauses",
    file: "src/governance/rule-call.ts",
    without: "return assessment.risk_score < threshold",
    instead: "return !(assessment.risk_score >= threshold)",
    test: "src/governance/rule-call.test.ts",
  },
  {
    guard: "schema that cannot be checked goes to review",
    file: "src/governance/rule-call.ts",
    without: "const ruling = call.schemaUsable",
    instead: "const ruling = true",
    test: "src/governance/rule-call.test.ts",
  },
  {
    guard: "policy: no rule means review",
    file: "src/policy/policy.ts",
    without: '{ verdict: "review", ruleId: null, version, reasonId: "policy.no_rule", observe: false }',
    instead: '{ verdict: "assess", ruleId: null, version, reasonId: null, observe: false }',
    test: "src/policy/policy.test.ts",
  },
  {
    guard: "deadline passed",
    file: "src/governance/transitions/ending.ts",
    without: "guards.nowMs < deadlineMs || frozen",
    instead: "true",
    test: STORE,
  },
  {
    guard: "unrecorded outcome is no success",
    file: "src/governance/govern-call.ts",
    without: "return recorded\n",
    instead: "return true\n",
    test: CALL,
  },
  // 4. Who decides.
  {
    guard: "decision: only a reviewer",
    file: DECISION,
    without: '!person.roles.includes("reviewer")',
    instead: "false",
    test: STORE,
  },
  {
    guard: "decision: not the agent's owner",
    file: DECISION,
    without: 'agent.ownerId === person.id && !params.singleOperator ? "owns_the_agent" : undefined',
    instead: "undefined",
    test: STORE,
  },
  {
    guard: "decision: digest shown",
    file: DECISION,
    without: "shown !== current.actionDigest",
    instead: "false",
    test: STORE,
  },
  {
    guard: "decision: not while another reviewer has the case",
    file: DECISION,
    without: "holder !== null && holder !== personId",
    instead: "false",
    test: STORE,
  },
  {
    guard: "undo: only whoever approved it, or an admin",
    file: "src/governance/transitions/undo.ts",
    without: '!isApprover && !roles.includes("admin")',
    instead: "false",
    test: STORE,
  },
  ...GUARDS_OF_PEOPLE,
  {
    guard: "agents are no people",
    file: "src/http/auth/person-guard.ts",
    without: 'if (principal.kind === "agent") throw new RefusalError(AGENT_CREDENTIAL);',
    instead: "",
    test: "src/http/routes/approval-webhook.test.ts",
  },
  ...GUARDS_OF_TOKENS,
  {
    guard: "portal: signature",
    file: "src/http/auth/portal.ts",
    without: "new Webhook(portal.secret).verify(body, signature);",
    instead: "",
    test: "src/http/routes/approval-portal.test.ts",
  },
  {
    guard: "another agent's case does not exist",
    file: "src/governance/check-status.ts",
    without: "current === null || current.agentId !== params.agentId",
    instead: "current === null",
    test: "test/scenario/hostile.test.ts",
  },
  ...GUARDS_OF_RELOADS,
  // 5. Nothing acknowledged is lost.
  {
    guard: "acknowledged after COMMIT",
    file: "src/store/sqlite/group-commit.ts",
    without: "      if (needed === durability) statements.commit();\n",
    instead: "",
    test: STORE,
  },
  ...GUARDS_OF_CONSOLE,
  // 8. A wait costs a row.
  {
    guard: "engine: claims of dead processes are settled",
    file: "src/store/commands/case-rows.ts",
    without: "c.claimed_by <> :writer",
    instead: "false and :writer is null",
    test: ENGINE,
  },
];
