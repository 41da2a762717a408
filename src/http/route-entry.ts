import type { z } from "zod";
import {
  addAgentRequestSchema,
  addPersonRequestSchema,
  agentKeySchema,
  agentsSchema,
  approvalRequestSchema,
  approvalResponseSchema,
  caseDetailSchema,
  caseEventSchema,
  caseListSchema,
  caseResponseSchema,
  caseSchema,
  decisionRequestSchema,
  decisionResponseSchema,
  errorSchema,
  healthSchema,
  passwordRequestSchema,
  peopleSchema,
  personTokenSchema,
  readinessSchema,
  resolutionRequestSchema,
  resourceMetadataSchema,
  rolesRequestSchema,
  ruleSuggestionListSchema,
  ruleSuggestionSchema,
  sessionSchema,
  signInRequestSchema,
  statusSchema,
  takeRequestSchema,
} from "./contract.ts";
import type { RefusalCode } from "./error-response.ts";
import { historySchema } from "./history-contract.ts";
import {
  killSwitchEventSchema,
  killSwitchListSchema,
  killSwitchRequestSchema,
} from "./kill-switch-contract.ts";
import { timelineSchema } from "./list-contract.ts";
import {
  acceptToolRequestSchema,
  toolDetailSchema,
  toolEventSchema,
  toolListSchema,
  toolResponseSchema,
  toolSchema,
} from "./tool-contract.ts";
import { upstreamListSchema, upstreamSchema } from "./upstream-contract.ts";

/** Name of each schema in the description. */
export const SCHEMAS = {
  AcceptToolRequest: acceptToolRequestSchema,
  AddAgentRequest: addAgentRequestSchema,
  AddPersonRequest: addPersonRequestSchema,
  AgentKey: agentKeySchema,
  Agents: agentsSchema,
  ApprovalRequest: approvalRequestSchema,
  ApprovalResponse: approvalResponseSchema,
  Case: caseSchema,
  CaseDetail: caseDetailSchema,
  CaseEvent: caseEventSchema,
  CaseList: caseListSchema,
  CaseResponse: caseResponseSchema,
  DecisionRequest: decisionRequestSchema,
  DecisionResponse: decisionResponseSchema,
  Error: errorSchema,
  Health: healthSchema,
  History: historySchema,
  PasswordRequest: passwordRequestSchema,
  People: peopleSchema,
  PersonToken: personTokenSchema,
  Readiness: readinessSchema,
  KillSwitchEvent: killSwitchEventSchema,
  KillSwitchList: killSwitchListSchema,
  KillSwitchRequest: killSwitchRequestSchema,
  ResolutionRequest: resolutionRequestSchema,
  ResourceMetadata: resourceMetadataSchema,
  RuleSuggestion: ruleSuggestionSchema,
  RuleSuggestionList: ruleSuggestionListSchema,
  RolesRequest: rolesRequestSchema,
  Session: sessionSchema,
  SignInRequest: signInRequestSchema,
  Status: statusSchema,
  TakeRequest: takeRequestSchema,
  Tool: toolSchema,
  ToolDetail: toolDetailSchema,
  ToolEvent: toolEventSchema,
  ToolList: toolListSchema,
  ToolResponse: toolResponseSchema,
  Upstream: upstreamSchema,
  UpstreamList: upstreamListSchema,
  Timeline: timelineSchema,
} as const;
export type SchemaName = keyof typeof SCHEMAS;

/**
 * `person`: any role, and their own token or the console's session; `admin`: that role, the same way; `decider`: a person's own
 * token, or a portal's signature.
 */
export type Who = "anyone" | "agent" | "person" | "admin" | "decider";

export interface Answer {
  readonly status: number;
  readonly description: string;
  /** Several where each event of a stream has one of them. */
  readonly schema?: SchemaName | readonly SchemaName[];
  /** Of a body that is no JSON of ours. */
  readonly mediaType?: string;
}

export interface RouteEntry {
  readonly method: "get" | "post" | "put" | "delete";
  readonly path: string;
  readonly who: Who;
  readonly summary: string;
  readonly request?: SchemaName;
  readonly query?: z.ZodType;
  readonly answers: readonly Answer[];
  /** What refuses it, beyond what can refuse any request. */
  readonly refusals: readonly RefusalCode[];
  /** A source that fails too often is refused for a while. */
  readonly throttled?: boolean;
}

/** What refuses whoever has to be signed in. */
export const SIGNED_IN: readonly RefusalCode[] = ["auth.missing", "auth.wrong_principal"];

/** An answer of 200 with a body of ours. */
export const ok = (description: string, schema: SchemaName): Answer => ({ status: 200, description, schema });
