import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { type GovernCallDeps, governCall } from "../../governance/govern-call.ts";
import type { RawResult } from "../../governance/ports.ts";
import type { CallAnswer, RawCall } from "../../governance/raw-call.ts";
import { pendingResult, refusalResult } from "./case-report.ts";

export interface AnswerCallDeps {
  readonly governance: GovernCallDeps;
  /** Where a refusal that is our own fault is written. */
  readonly onError: (error: unknown) => void;
}

/**
 * Governs a call and says what its agent hears, whichever way the call came and its answer goes.
 *
 * @throws ProtocolError for an unknown tool and for the upstream's own JSON-RPC errors.
 */
export async function answerCall(call: RawCall, deps: AnswerCallDeps): Promise<RawResult> {
  return toResult(await governSafely(call, deps), call.exposedName, deps);
}

/** Whatever breaks in us, the call is refused in words the agent can use; nothing of the cause leaves. */
async function governSafely(call: RawCall, deps: AnswerCallDeps): Promise<CallAnswer> {
  try {
    return await governCall(call, deps.governance);
  } catch (error) {
    deps.onError(error);
    return { kind: "refused", reasonId: "ledger.unavailable", detail: null, ref: null };
  }
}

/** @throws ProtocolError for an unknown tool and for the upstream's own JSON-RPC errors. */
function toResult(answer: CallAnswer, name: string, deps: AnswerCallDeps): RawResult {
  switch (answer.kind) {
    case "result":
      return answer.result;
    case "rpc_error":
      throw new ProtocolError(answer.error.code, answer.error.message, answer.error.data);
    case "pending": {
      const tool = deps.governance.upstreams.findTool(name);
      return pendingResult(answer.case, tool?.definition.outputSchema !== undefined);
    }
    case "refused": {
      const refusal = refusalResult(answer);
      if (answer.reasonId !== "tool.unknown") return refusal;
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        "Unknown tool [tool.unknown]: list the tools again and use a name from the list.",
      );
    }
    default:
      return answer satisfies never;
  }
}
