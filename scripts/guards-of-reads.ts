import type { Guard } from "./guards-list.ts";

const READ = "src/governance/transitions/read.ts";

/** Reads: nothing that policy, a kill switch or a revocation forbids, and nothing of another upstream. */
export const READ_GUARDS: readonly Guard[] = [
  {
    guard: "read: kill switch",
    file: READ,
    without: "guards.killSwitches.some((s) => covers(s, target))",
    instead: "false",
    test: "src/store/sqlite/sqlite-store.test.ts",
  },
  {
    guard: "read: agent enabled",
    file: READ,
    without: "!guards.agentEnabled",
    instead: "false",
    test: "src/store/sqlite/sqlite-store.test.ts",
  },
  {
    guard: "read: policy evaluated is the one in force",
    file: READ,
    without: "guards.policyVersion !== ruled.policy.version",
    instead: "false",
    test: "src/store/sqlite/sqlite-store.test.ts",
  },
  {
    guard: "read: only an allow rule lets through",
    file: "src/governance/rule-read.ts",
    without: 'observed || enforced === "policy.allowed",',
    instead: 'observed || enforced !== "policy.denied",',
    test: "src/governance/govern-read.test.ts",
  },
  {
    guard: "read: no answer under another upstream's URI",
    file: "src/governance/govern-read.ts",
    without: 'route.kind === "found" && route.upstream !== upstream',
    instead: "false",
    test: "src/governance/govern-read.test.ts",
  },
  {
    guard: "route: what comes later is quarantined",
    file: "src/mcp/upstream/ownership.ts",
    without: "other !== null && other !== upstream",
    instead: "false",
    test: "src/mcp/upstream/offers.test.ts",
  },
  {
    guard: "route: a template takes no URI that can be read in two ways",
    file: "src/mcp/upstream/offers.ts",
    without: "isPlainUri(uri) ?",
    instead: "true ?",
    test: "src/mcp/upstream/offers.test.ts",
  },
];
