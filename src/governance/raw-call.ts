import type { Case } from "../domain/case.ts";
import type { AgentId, CaseRef } from "../domain/ids.ts";
import type { ReasonId } from "../domain/reasons.ts";
import type { LiveClient } from "./live-client.ts";
import type { CallRetry, RawResult, RawRpcError } from "./ports.ts";

/** One intercepted `tools/call`, as texts: what is hashed here is what is stored, shown, approved and forwarded. */
export interface RawCall {
  /** From the credential, never from the call. */
  readonly agentId: AgentId;
  /** The name the agent called. */
  readonly exposedName: string;
  /** `params.arguments` as received, without insignificant white space; `{}` when absent. */
  readonly argumentsText: string;
  /** `params._meta` without what belongs to the connection between agent and gateway; null when nothing is left. */
  readonly metaText: string | null;
  /** The call is sent again with answers; `requestState` is the envelope that the gateway gave. */
  readonly retry?: CallRetry | undefined;
  /** Who called, where an upstream may ask back; absent when nobody can be asked and the call is a session of its own. */
  readonly client?: LiveClient | undefined;
  readonly onProgress?: (progress: { readonly [key: string]: unknown }) => void;
  /** Aborts when the agent cancels or goes away. That ends the response, never the case. */
  readonly signal?: AbortSignal;
}

/** What the agent hears of one call. */
export type CallAnswer =
  /** The upstream's own result. */
  | { readonly kind: "result"; readonly result: RawResult }
  /** The upstream's own JSON-RPC error. */
  | { readonly kind: "rpc_error"; readonly error: RawRpcError }
  /** The case goes on without the agent. */
  | { readonly kind: "pending"; readonly case: Case }
  /** The call did not run, or nobody knows whether it ran; the reason says which. */
  | {
      readonly kind: "refused";
      readonly reasonId: ReasonId;
      /** What exactly, beyond the reason's own sentence; never text of an argument. */
      readonly detail: string | null;
      readonly ref: CaseRef | null;
    };
