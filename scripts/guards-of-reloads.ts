import type { Guard } from "./guards-list.ts";

/** A reload between ruling, claim and dispatch sends nothing anywhere else. */
export const GUARDS_OF_RELOADS: readonly Guard[] = [
  {
    guard: "run after review: only at the endpoint of the claim",
    file: "src/governance/execute-once.ts",
    without: "session.upstreamFingerprint === claim.case.upstreamFingerprint",
    instead: 'claim.kind === "claimed"',
    test: "src/governance/govern-call.test.ts",
  },
  {
    guard: "live run: only at the endpoint of the claim",
    file: "src/mcp/upstream/roster.ts",
    without: "config.name === name && config.fingerprint === fingerprint",
    instead: "config.name === name && fingerprint !== config.name",
    test: "src/mcp/upstream/upstreams-apply.test.ts",
  },
];
