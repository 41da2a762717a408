import { type Case, isTerminal } from "../domain/case.ts";
import type { RawResult, RawRpcError } from "./ports.ts";
import type { CallAnswer } from "./raw-call.ts";

/**
 * What a case as it stands means for the agent that made the call.
 *
 * @param resultText kept answer of the upstream, null when none is kept
 * @param reason what the reviewer wrote, null when nothing
 */
export function answerOfCase(current: Case, resultText: string | null, reason: string | null): CallAnswer {
  if (current.state === "UNKNOWN") return refusal(current, null);
  if (!isTerminal(current.state)) return { kind: "pending", case: current };
  const answer = resultText === null ? null : parseAnswer(resultText);
  if (answer !== null) return answer;
  return refusal(current, current.state === "REJECTED" ? reason : null);
}

function refusal(current: Case, detail: string | null): CallAnswer {
  return { kind: "refused", reasonId: current.reasonId, detail, ref: current.ref };
}

/** The kept answer is what `recordDispatch` wrote: `{result}` or `{error}`. */
function parseAnswer(text: string): CallAnswer | null {
  const kept: { result?: RawResult; error?: RawRpcError } = JSON.parse(text);
  if (kept.error !== undefined) return { kind: "rpc_error", error: kept.error };
  return kept.result === undefined ? null : { kind: "result", result: kept.result };
}
