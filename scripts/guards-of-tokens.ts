import type { Guard } from "./guards-list.ts";

const TOKENS = "src/http/auth/token-agents.ts";
const TEST = "src/http/auth/token-agents.test.ts";

/** 4. Who decides: an agent that gets in by a token is the one that an administrator added. */
export const GUARDS_OF_TOKENS: readonly Guard[] = [
  {
    guard: "agents' tokens: only for the audience",
    file: TOKENS,
    without: "      audience: issuer.audience,\n",
    instead: "",
    test: TEST,
  },
  {
    guard: "agents' tokens: only allowed algorithms",
    file: TOKENS,
    without: "      algorithms: [...issuer.algorithms],\n",
    instead: "",
    test: TEST,
  },
  {
    guard: "agents' tokens: not for a revoked agent",
    file: TOKENS,
    without: "agent !== null && agent.revokedAtMs === null",
    instead: "agent !== null",
    test: TEST,
  },
];
