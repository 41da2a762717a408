import type { CaseBody, CaseDetailBody, SessionBody } from "../../../src/http/contract.ts";

/** What the screens call things; the words of the glossary in ARCHITECTURE.md. */

type CaseState = CaseBody["state"];

export const STATE_WORDS: Readonly<Record<CaseState, string>> = {
  ASSESSING: "Being assessed",
  AWAITING_REVIEW: "Waiting for a decision",
  AUTHORIZED: "Authorized, about to run",
  EXECUTING: "Running now",
  UNKNOWN: "Outcome unknown",
  SUCCEEDED: "Ran",
  FAILED: "Failed",
  DENIED: "Denied by policy",
  REJECTED: "Rejected",
  EXPIRED: "Expired",
  CANCELLED: "Withdrawn",
};

/** States in which somebody has to do something. */
export const WAITING_STATES: readonly CaseState[] = ["AWAITING_REVIEW", "UNKNOWN"];

/** States that a case can be in once somebody decided or nobody did in time. */
export const DECIDED_STATES: readonly CaseState[] = [
  "AUTHORIZED",
  "EXECUTING",
  "SUCCEEDED",
  "FAILED",
  "REJECTED",
  "EXPIRED",
  "CANCELLED",
  "UNKNOWN",
];

type Manifest = NonNullable<CaseDetailBody["manifest"]>;

/** What tools of a class do, after “This call …”. */
export const CLASS_WORDS: Readonly<Record<Manifest["class"], string>> = {
  read: "only reads",
  write: "adds or changes something",
  operate: "changes a running system",
  outward: "sends, publishes or shares something",
  destructive: "deletes or overwrites something",
  access: "changes who may do what, or a safeguard",
  physical: "moves or unlocks something physical",
  money: "moves money or changes what is owed",
  decision: "decides on a person",
  execute: "runs code, commands or raw SQL",
};

export const VERDICT_WORDS: Readonly<Record<string, string>> = {
  allow: "allow, calls run at once",
  deny: "deny, calls never run",
  assess: "assess, calls with a high score wait for a human",
  review: "review, every call waits for a human",
};

export const PIN_WORDS: Readonly<Record<CaseDetailBody["definition"]["state"], string>> = {
  accepted: "The tool's definition is the one that was accepted.",
  changed: "The tool's definition differs from the one that was accepted. Read it before you decide.",
  unknown: "This tool has no accepted definition. Read it before you decide.",
};

/** Said on every page while the gateway lets through what it would hold. */
export const MODE_WORDS: Readonly<Record<SessionBody["mode"], string | null>> = {
  enforce: null,
  observe:
    "Observe mode: this gateway holds nothing. Every call runs; what would have been held is only recorded.",
  partly_observe:
    "Partly in observe mode: some upstreams or rules hold nothing; their calls run and are only recorded.",
};

/** Said on every page while one person may decide on their own agents. */
export const SINGLE_OPERATOR =
  "Single-operator mode: people may decide on calls of their own agents; such decisions are marked in the record.";
