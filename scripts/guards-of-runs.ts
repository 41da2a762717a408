import type { Guard } from "./guards-list.ts";

const OUTCOME = "src/governance/transitions/outcome.ts";
const STORE = "src/store/sqlite/sqlite-store.test.ts";
const CALL = "src/governance/govern-call.test.ts";
const ENGINE = "src/engines/embedded.test.ts";
const CLAIM = "src/governance/transitions/claim.ts";
const OPEN = "src/governance/transitions/open-case.ts";

/** Guards against running twice what was approved once. */
export const RUN_GUARDS: readonly Guard[] = [
  {
    guard: "restore: no authorization of a copy stands",
    file: "src/governance/transitions/restoring.ts",
    without: 'current.state === "AUTHORIZED";',
    instead: "false;",
    test: STORE,
  },
  {
    guard: "restore: a decision on what was shown before is refused",
    file: "src/governance/transitions/restoring.ts",
    without: "nonce: params.newNonce,\n      actionDigest: digest,",
    instead: "",
    test: STORE,
  },
  {
    guard: "restore: no gateway runs on a backup put there by hand",
    file: "src/store/sqlite/connection.ts",
    without: '?.["user_version"] !== BACKUP_MARK',
    instead: '?.["user_version"] !== undefined',
    test: "test/scenario/restore.test.ts",
  },
  {
    guard: "outcome: fencing token",
    file: OUTCOME,
    without: "current.fencingToken !== params.token",
    instead: "false",
    test: STORE,
  },
  {
    guard: "dispatch: dispatch-by is read before the claim",
    file: "src/governance/execute-once.ts",
    without: "const dispatchByMonotonicMs = deps.clock.monotonicMs() + DISPATCH_WITHIN_MS;",
    instead: "const dispatchByMonotonicMs = Number.POSITIVE_INFINITY;",
    test: CALL,
  },
  {
    guard: "dispatch: no answer is UNKNOWN",
    file: "src/governance/dispatch.ts",
    without: 'safeToRepeat ? "FAILED" : "UNKNOWN"',
    instead: '"FAILED"',
    test: CALL,
  },
  {
    guard: "reconciler: a lost claim is UNKNOWN",
    file: OUTCOME,
    without: 'name: safeToRepeat ? "case.failed" : "case.unknown"',
    instead: 'name: "case.failed"',
    test: ENGINE,
  },
  {
    guard: "safe to repeat only on the definition it was said of",
    file: CLAIM,
    without: "guards.acceptedPin === call.toolPin && ",
    instead: "",
    test: STORE,
  },
  {
    guard: "the same call joins",
    file: OPEN,
    without: "snapshot.open !== null && !isTerminal(snapshot.open.state) && !safeToRepeat",
    instead: "false",
    test: CALL,
  },
];
