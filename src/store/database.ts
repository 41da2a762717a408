import type { Classification, Verdict } from "../domain/assessment.ts";
import type { Authorization, CaseState } from "../domain/case.ts";
import type { Decision } from "../domain/decision.ts";
import type { AgentId, CaseRef, PersonId, Sha256Hex, WriterId } from "../domain/ids.ts";
import type { KillSwitch } from "../domain/kill-switch.ts";
import type { ToolClass } from "../domain/manifest.ts";
import type { ReasonId } from "../domain/reasons.ts";
import type { OutboxMessage } from "../governance/ports.ts";
import type { HeldReasonId } from "../governance/transitions/listing.ts";
import type { PayloadKind } from "../governance/transitions/plan.ts";

/**
 * Rows as both databases hold them: epoch milliseconds and counters as integers (a driver must give
 * them as numbers), flags as 0 or 1, lists as JSON text.
 */
export interface Database {
  cases: CaseRow;
  payloads: PayloadRow;
  decisions: DecisionRow;
  agents: AgentRow;
  people: PersonRow;
  credentials: CredentialRow;
  passwords: PasswordRow;
  sessions: SessionRow;
  upstreams: UpstreamRow;
  tools: ToolRow;
  tool_acceptances: ToolAcceptanceRow;
  definitions: DefinitionRow;
  kill_switches: KillSwitchRow;
  admin_reasons: AdminReasonRow;
  outbox: OutboxRow;
  engine_runs: EngineRunRow;
  settings: SettingRow;
  imported_entries: ImportedEntryRow;
  ledger_writers: LedgerWriterRow;
  ledger_events: LedgerEventRow;
  ledger_heads: LedgerHeadRow;
}

export interface CaseRow {
  ref: CaseRef;
  state: CaseState;
  revision: number;
  agent_id: AgentId;
  upstream: string;
  upstream_fingerprint: Sha256Hex;
  tool: string;
  exposed_name: string;
  tool_pin: Sha256Hex;
  safe_to_repeat: number;
  nonce: string;
  arguments_sha256: Sha256Hex;
  meta_sha256: Sha256Hex | null;
  join_key: Sha256Hex;
  action_digest: Sha256Hex;
  verdict: Verdict;
  rule_id: string | null;
  policy_version: string;
  risk_score: number | null;
  classification: Classification | null;
  assessor: string | null;
  authorization: Authorization | null;
  authorized_digest: Sha256Hex | null;
  reason_id: ReasonId;
  opened_at_ms: number;
  updated_at_ms: number;
  review_by_ms: number | null;
  run_from_ms: number | null;
  run_by_ms: number | null;
  due_at_ms: number | null;
  taken_by: PersonId | null;
  taken_until_ms: number | null;
  decided_by: PersonId | null;
  decided_at_ms: number | null;
  fencing_token: number | null;
  claimed_by: WriterId | null;
  claimed_at_ms: number | null;
  attempts: number;
  finished_at_ms: number | null;
  identical_to: CaseRef | null;
  observed_reason_id: ReasonId | null;
  reported_at_ms: number | null;
  texts_erased_at_ms: number | null;
  result_erased_at_ms: number | null;
}

/** Text that can be erased; its salt goes with it. */
export interface PayloadRow {
  ref: CaseRef;
  kind: PayloadKind;
  salt: string;
  text: string;
}

export interface DecisionRow {
  ref: CaseRef;
  /** Revision of the case that the decision made: orders the decisions of a case. */
  revision: number;
  person_id: PersonId;
  decision: Decision["decision"];
  digest_shown: Sha256Hex;
  digest_authorized: Sha256Hex;
  decided_at_ms: number;
}

export interface AgentRow {
  id: AgentId;
  owner_id: PersonId;
  added_at_ms: number;
  revoked_at_ms: number | null;
}

export interface PersonRow {
  id: PersonId;
  /** JSON array of roles. */
  roles: string;
  added_at_ms: number;
  revoked_at_ms: number | null;
}

export interface CredentialRow {
  sha256: Sha256Hex;
  principal_kind: "agent" | "person";
  principal_id: string;
  created_at_ms: number;
  revoked_at_ms: number | null;
}

export interface PasswordRow {
  person_id: PersonId;
  /** With its salt and its cost in it; `governance/password-hash.ts` writes and reads it. */
  hash: string;
  set_at_ms: number;
}

/** A browser that is signed in; a session that ended has no row. */
export interface SessionRow {
  /** Of the id in the cookie. */
  sha256: Sha256Hex;
  person_id: PersonId;
  opened_at_ms: number;
  used_at_ms: number;
}

export interface UpstreamRow {
  name: string;
  fingerprint: Sha256Hex;
  updated_at_ms: number;
}

export interface ToolRow {
  upstream: string;
  name: string;
  /** null: the upstream does not list the tool any more. */
  current_pin: Sha256Hex | null;
  accepted_pin: Sha256Hex | null;
  first_seen_at_ms: number;
  changed_at_ms: number;
  /** null until the tool is listed by a version that records it. */
  exposed_name: string | null;
  held_reason: HeldReasonId | null;
  held_about: string | null;
}

/** What an admin said of one definition of a tool. */
export interface ToolAcceptanceRow {
  upstream: string;
  name: string;
  pin: Sha256Hex;
  revision: number;
  /** null: nothing was said. */
  safe_to_repeat: number | null;
  class: ToolClass;
  reversible: number;
  /** JSON array of data categories. */
  data: string;
  accepted_by: PersonId | null;
  accepted_at_ms: number;
}

export interface DefinitionRow {
  pin: Sha256Hex;
  /** JSON text. */
  definition: string;
}

export interface KillSwitchRow {
  scope: KillSwitch["scope"];
  target: string;
  engaged_by: PersonId | null;
  engaged_at_ms: number;
  reason: string;
  /** Salt of the commitment to the reason. */
  salt: string;
}

/** What was said of an administrative change; the ledger has the commitment only. */
export interface AdminReasonRow {
  commitment: Sha256Hex;
  salt: string;
  text: string;
}

export interface EngineRunRow {
  ref: CaseRef;
  generation: number;
  begun: number;
  tellings: number;
  revision: number;
  due_at_ms: number | null;
}

export interface OutboxRow {
  id: string;
  topic: OutboxMessage["topic"];
  ref: CaseRef;
  created_at_ms: number;
  attempts: number;
  /** null: given up, kept for an operator to see. */
  due_at_ms: number | null;
  last_error: string | null;
}

export interface SettingRow {
  key: "policy_version" | "fencing_token";
  value: string;
}

/** An entry of an older audit log; `salt` and `text` are null once they were erased. */
export interface ImportedEntryRow {
  id: string;
  at_ms: number | null;
  imported_at_ms: number;
  salt: string | null;
  text: string | null;
}

export interface LedgerWriterRow {
  writer: WriterId;
  /** SPKI DER, base64. */
  public_key: string;
  key_id: string;
  started_at_ms: number;
  /** Last sequence of this chain that a later writer has joined; 0 for none. Only saves work at the next start. */
  joined_sequence: number;
}

export interface LedgerEventRow {
  /** Order of commits over all writers. */
  id: number;
  writer: WriterId;
  sequence: number;
  ref: CaseRef | null;
  hash: Sha256Hex;
  bytes: string;
}

/** Newest signed head of a chain. */
export interface LedgerHeadRow {
  writer: WriterId;
  sequence: number;
  hash: Sha256Hex;
  signed_at_ms: number;
  /** Ed25519, base64. */
  signature: string;
  key_id: string;
}
