import { z } from "zod";
import { CLASSIFICATIONS } from "../domain/assessment.ts";
import { CASE_STATES, TERMINAL_STATES } from "../domain/case.ts";
import { DECISIONS, RESOLUTIONS } from "../domain/decision.ts";
import { DATA_CATEGORIES, TOOL_CLASSES } from "../domain/manifest.ts";
import { ROLES } from "../domain/principal.ts";

export {
  type AgentKeyBody,
  type AgentsBody,
  addAgentRequestSchema,
  addPersonRequestSchema,
  agentKeySchema,
  agentsSchema,
  type PeopleBody,
  type PersonTokenBody,
  passwordRequestSchema,
  peopleSchema,
  personTokenSchema,
  rolesRequestSchema,
  signInRequestSchema,
  signOutQuerySchema,
} from "./contract-people.ts";
export type { HistoryBody } from "./history-contract.ts";
export type { KillSwitchListBody } from "./kill-switch-contract.ts";
export type { TimelineBody } from "./list-contract.ts";

/**
 * Every request and response of the gateway's own HTTP interface. Times are ISO 8601 in UTC.
 * A client must ignore response members that it does not know; the gateway refuses request members that it does not know.
 */

/** Longest reason a person may give, in UTF-16 code units. */
export const MAX_REASON_LENGTH = 2_000;

export const timeSchema = z.iso.datetime();
export const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in 64 lower-case hexadecimal digits");
const reasonSchema = z.string().max(MAX_REASON_LENGTH, `must have at most ${MAX_REASON_LENGTH} characters`);
const decisionSchema = z.enum(DECISIONS, `must be ${DECISIONS.map((d) => `"${d}"`).join(" or ")}`);

/** Arguments to run instead of the agent's; their text is taken as it stands in the body. */
const editedSchema = z.record(z.string(), z.unknown(), "must be an object");

export const errorSchema = z.object({
  error: z.object({
    /** A code of the error catalogue, or a reason id. */
    code: z.string(),
    message: z.string(),
    /** The state that stands, when that is what refuses the request. */
    state: z.enum(CASE_STATES).optional(),
    /** Who has the case, when that is what refuses the request. */
    taken_by: z.string().optional(),
    taken_until: timeSchema.optional(),
  }),
});
export type ErrorBody = z.infer<typeof errorSchema>;

export const statusSchema = z.object({
  status: z.literal("ATLAS Governance Gateway Running"),
  version: z.string(),
  engine: z.string(),
  /** `observe`: nothing is held; `partly_observe`: some upstreams or rules hold nothing. */
  mode: z.enum(["enforce", "partly_observe", "observe"]),
  endpoints: z.record(z.string(), z.string()),
});
export type StatusBody = z.infer<typeof statusSchema>;

export const healthSchema = z.object({ status: z.literal("live") });

export const readinessSchema = z.object({
  status: z.enum(["ready", "not_ready"]),
  /** Why it takes no calls now; empty when it does. */
  reasons: z.array(z.enum(["gateway.starting", "gateway.stopping", "store.failed"])),
  /** `reload_refused`: the last reload was not taken, and the configuration before it stays in force. */
  config: z.enum(["in_force", "reload_refused"]),
});
export type ReadinessBody = z.infer<typeof readinessSchema>;
export type HealthBody = z.infer<typeof healthSchema>;

/** Protected resource metadata, RFC 9728. */
export const resourceMetadataSchema = z.object({
  resource: z.string(),
  authorization_servers: z.array(z.string()),
  bearer_methods_supported: z.array(z.literal("header")),
  scopes_supported: z.array(z.string()).optional(),
  resource_name: z.string(),
});
export type ResourceMetadataBody = z.infer<typeof resourceMetadataSchema>;

export const approvalRequestSchema = z.strictObject({
  decision: decisionSchema,
  event_id: z.string().regex(/^evt_.{1,100}$/, "must be the reference of a case, evt_…"),
  reason: reasonSchema.optional(),
  arguments: editedSchema.optional(),
  digest: sha256Schema.optional(),
  /** Whose decision a portal passes on, by the name it knows them by. */
  reviewer: z.string().min(1, "must not be empty").max(200, "must be at most 200 characters").optional(),
});
export type ApprovalRequest = z.infer<typeof approvalRequestSchema>;

export const approvalResponseSchema = z.object({
  status: z.literal("Signal Sent"),
  decision: decisionSchema,
});
export type ApprovalResponse = z.infer<typeof approvalResponseSchema>;

export const sessionSchema = z.object({
  person: z.object({ id: z.string(), roles: z.array(z.enum(ROLES)) }),
  /** One person runs everything and may decide on their own agents. */
  single_operator: z.boolean(),
  mode: statusSchema.shape.mode,
});
export type SessionBody = z.infer<typeof sessionSchema>;

export const caseSchema = z.object({
  ref: z.string(),
  state: z.enum(CASE_STATES),
  revision: z.int(),
  agent: z.string(),
  upstream: z.string(),
  tool: z.string(),
  exposed_name: z.string(),
  verdict: z.string(),
  rule: z.string().nullable(),
  risk_score: z.int().nullable(),
  classification: z.enum(CLASSIFICATIONS).nullable(),
  /** What a decision must name. */
  digest: sha256Schema,
  authorization: z.enum(["policy", "auto", "human"]).nullable(),
  reason_id: z.string(),
  /** The sentence of `reason_id`. */
  reason: z.string(),
  opened_at: timeSchema,
  updated_at: timeSchema,
  review_by: timeSchema.nullable(),
  /** Until then the approval can be undone, and nothing is sent; null when there is no such time. */
  run_from: timeSchema.nullable(),
  run_by: timeSchema.nullable(),
  /** The reviewer who works on it now. */
  taken_by: z.string().nullable(),
  taken_until: timeSchema.nullable(),
  decided_by: z.string().nullable(),
  decided_at: timeSchema.nullable(),
  finished_at: timeSchema.nullable(),
  identical_to: z.string().nullable(),
  /** Why it would have been held or denied, had the gateway not only observed; null when it enforced. */
  observed: z.string().nullable(),
});
export type CaseBody = z.infer<typeof caseSchema>;

/** States from which a case goes on. */
export const OPEN_STATES = z.enum(CASE_STATES).exclude(TERMINAL_STATES).options;

export const caseListSchema = z.object({
  cases: z.array(caseSchema),
  /** Where the list goes on: the `after` of the next request; null at its end. */
  next: z.string().nullable(),
  /** How many cases there are in each state that is no end, whatever was asked for. */
  counts: z.record(z.enum(OPEN_STATES), z.int()),
  /** The gateway's clock: a browser's may be wrong, and deadlines are counted by the gateway's. */
  now: timeSchema,
});
export type CaseListBody = z.infer<typeof caseListSchema>;

export const ruleSuggestionSchema = z.object({
  agent: z.string(),
  upstream: z.string(),
  tool: z.string(),
  /** The definition that people looked at. */
  pin: sha256Schema,
  /** How often people approved such a call as it was shown; nobody ever rejected, edited or took one back. */
  approvals: z.int(),
  highest_score: z.int().nullable(),
  /** The newest of these cases. */
  refs: z.array(z.string()),
  /** What speaks against the rule. */
  warnings: z.array(z.string()),
  /** An item for the list `policy:` of the configuration, before the rule that holds these calls. Nothing applies it by itself. */
  yaml: z.string(),
});
export type RuleSuggestionBody = z.infer<typeof ruleSuggestionSchema>;

export const ruleSuggestionListSchema = z.object({ suggestions: z.array(ruleSuggestionSchema) });
export type RuleSuggestionListBody = z.infer<typeof ruleSuggestionListSchema>;

/** What a tool does, as proposed or confirmed. */
export const manifestSchema = z.object({
  class: z.enum(TOOL_CLASSES),
  /** What it does can be taken back in the same system. */
  reversible: z.boolean(),
  data: z.array(z.enum(DATA_CATEGORIES)),
});

/** From one definition of a tool to another, member by member; characters that are not seen are spelt out. */
export const definitionDiffSchema = z.array(
  z.object({
    pointer: z.string(),
    kind: z.enum(["added", "removed", "changed"]),
    from: z.string().nullable(),
    to: z.string().nullable(),
  }),
);
export type DefinitionDiff = z.infer<typeof definitionDiffSchema>;

export const caseDetailSchema = z.object({
  case: caseSchema,
  /** Who answers for the agent; null when the agent is not known any more. */
  owner: z.string().nullable(),
  /** Exact bytes as the agent sent them, as text; null when they were erased. */
  arguments: z.string().nullable(),
  arguments_sha256: sha256Schema,
  meta: z.string().nullable(),
  definition: z.object({
    /** The tool's definition as JSON; null when no upstream ever listed it. */
    text: z.string().nullable(),
    pin: sha256Schema,
    /** `accepted`: what the case holds is what an admin accepted. `changed`: it is not. `unknown`: the tool has no accepted pin. */
    state: z.enum(["accepted", "changed", "unknown"]),
    /** From the accepted definition to this one; empty when it is the same or none was accepted. */
    diff: definitionDiffSchema,
  }),
  /** What the tool does: as an admin confirmed it of this definition, or as the assessor proposes; null without a definition. */
  manifest: manifestSchema.extend({ confirmed: z.boolean() }).nullable(),
  /** The assessment as JSON; null when policy decided alone or it was erased. */
  assessment: z.unknown(),
  /** What the reviewer gave as reason. */
  decision_reason: z.string().nullable(),
  /** The upstream's answer as JSON; null when there is none, or it was not kept. */
  result: z.string().nullable(),
  /** How a person settled an unknown outcome; null when nobody had to. */
  resolution: z.string().nullable(),
  /** When texts of the case were erased because their time was over; null while they are kept. */
  erased: z.object({ texts: timeSchema.nullable(), result: timeSchema.nullable() }),
  /** A rule for what people keep approving; null when there is none to suggest. */
  suggestion: ruleSuggestionSchema.nullable(),
  /** What the person who asks may do with the case as it is now. */
  permissions: z.object({
    decide: z.boolean(),
    /** Say what became of an unknown outcome. */
    resolve: z.boolean(),
    /** Why neither; null when they may, or when the case asks nothing of a person. */
    because: z.enum(["not_a_reviewer", "owns_the_agent", "taken"]).nullable(),
    /** Take it, from whoever has it too. */
    take: z.boolean(),
    /** Give it back. */
    release: z.boolean(),
    /** Take the approval back before it runs. */
    undo: z.boolean(),
    withdraw: z.boolean(),
  }),
  now: timeSchema,
});
export type CaseDetailBody = z.infer<typeof caseDetailSchema>;

export const decisionRequestSchema = z.strictObject({
  decision: decisionSchema,
  reason: reasonSchema.optional(),
  arguments: editedSchema.optional(),
  digest: sha256Schema,
});

export const decisionResponseSchema = z.object({
  case: caseSchema,
  /** The same person had decided the same before. */
  repeated: z.boolean(),
});
export type DecisionResponse = z.infer<typeof decisionResponseSchema>;

export const resolutionRequestSchema = z.strictObject({
  resolution: z.enum(RESOLUTIONS, `must be one of ${RESOLUTIONS.join(", ")}`),
  /** How the person knows what happened; the agent reads it. */
  evidence: reasonSchema.min(1, "must say how you know"),
  digest: sha256Schema,
});

export const takeRequestSchema = z.strictObject({
  /** Take it even from another reviewer. */
  take_over: z.boolean().default(false),
});

export const caseResponseSchema = z.object({ case: caseSchema });
export type CaseResponse = z.infer<typeof caseResponseSchema>;

/** Data of a `case` event of the live stream. */
export const caseEventSchema = z.object({ ref: z.string(), state: z.enum(CASE_STATES), revision: z.int() });
export type CaseEvent = z.infer<typeof caseEventSchema>;
