import type { Assessment } from "../domain/assessment.ts";
import type { AgentId } from "../domain/ids.ts";
import type { ToolManifest } from "../domain/manifest.ts";
import type { ToolDefinition } from "../domain/tool.ts";

/** The call as an assessor sees it. */
export interface AssessedCall {
  readonly upstream: string;
  /** Whether the operator trusts this upstream's annotations. */
  readonly trusted: boolean;
  readonly definition: ToolDefinition;
  readonly arguments: { readonly [key: string]: unknown };
  readonly agentId: AgentId;
  /** What an admin confirmed of this very definition; absent when nobody did. */
  readonly manifest?: ToolManifest;
}

export interface Assessor {
  /** Never throws: failure of any kind is a score of 100 with its reason. */
  assess(call: AssessedCall): Assessment;
}
