import type { AgentId } from "../../domain/ids.ts";
import { isCaseRef } from "../../domain/ids.ts";
import { checkStatus, listOwnCases, MAX_STATUS_WAIT_MS } from "../../governance/check-status.ts";
import type { CaseStore, RawResult } from "../../governance/ports.ts";
import { reportResult, reportsResult, withdrawalResult } from "./case-report.ts";

/** The gateway's own tools; their names are reserved. */
export const OWN_TOOLS = [
  {
    name: "check_status",
    title: "Check a pending call",
    description:
      "State of a call that is pending review, by its reference (evt_…), and the tool's own result once it ran. " +
      "Without a reference: your open cases, and those that ended since you last asked.",
    inputSchema: {
      type: "object",
      properties: {
        ref: { type: "string", description: "Reference from a PENDING REVIEW answer, evt_…" },
        wait_seconds: {
          type: "number",
          minimum: 0,
          maximum: MAX_STATUS_WAIT_MS / 1000,
          description: "How long to wait for news, 0 to 25 seconds; 0 by default",
        },
      },
      additionalProperties: false,
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: "withdraw_request",
    title: "Withdraw a pending call",
    description: "Withdraws one of your calls that has not run yet, by its reference (evt_…).",
    inputSchema: {
      type: "object",
      properties: { ref: { type: "string", description: "Reference from a PENDING REVIEW answer, evt_…" } },
      required: ["ref"],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
] as const;

export function isOwnTool(name: string): boolean {
  return OWN_TOOLS.some((tool) => tool.name === name);
}

export interface OwnToolCall {
  readonly agentId: AgentId;
  readonly name: string;
  readonly args: { readonly [key: string]: unknown };
  readonly signal: AbortSignal;
  /** Tells a waiting client that the gateway is still there. */
  readonly onWaiting?: () => void;
}

const WAITING_EVERY_MS = 5_000;

/** Answers `check_status` and `withdraw_request`. They read and end only the agent's own cases. */
export async function callOwnTool(call: OwnToolCall, store: CaseStore): Promise<RawResult> {
  const unknownKey = Object.keys(call.args).find((key) => key !== "ref" && key !== "wait_seconds");
  if (unknownKey !== undefined) return mistake(`${call.name} takes no argument but ref and wait_seconds.`);
  const { ref } = call.args;
  if (call.name === "check_status" && ref === undefined)
    return reportsResult(await listOwnCases(call.agentId, store));
  if (typeof ref !== "string")
    return mistake("ref must be the reference from a PENDING REVIEW answer, evt_….");
  if (!isCaseRef(ref)) return unknownCase();
  if (call.name === "withdraw_request") {
    const result = await store.withdraw({ ref, actor: { kind: "agent", id: call.agentId } });
    return result.kind === "unknown_case" ? unknownCase() : withdrawalResult(result);
  }
  const waitSeconds = call.args["wait_seconds"] ?? 0;
  if (typeof waitSeconds !== "number")
    return mistake("wait_seconds must be a number of seconds from 0 to 25.");
  const heartbeat = setInterval(() => call.onWaiting?.(), WAITING_EVERY_MS);
  try {
    const { agentId, signal } = call;
    const found = await checkStatus({ agentId, ref, waitMs: waitSeconds * 1000, signal }, store);
    return found === null ? unknownCase() : reportResult(found);
  } finally {
    clearInterval(heartbeat);
  }
}

function mistake(sentence: string): RawResult {
  return { content: [{ type: "text", text: sentence }], isError: true };
}

function unknownCase(): RawResult {
  return mistake(
    "You have no case with this reference (case.unknown). Call check_status without a reference to list your cases.",
  );
}
