import type { Case } from "../../domain/case.ts";
import type { Sha256Hex } from "../../domain/ids.ts";
import type { KillSwitch } from "../../domain/kill-switch.ts";
import type { ClaimGuards } from "../../governance/transitions/claim.ts";
import type { SettingRow, ToolAcceptanceRow, ToolRow } from "../database.ts";
import { type Steps, statement } from "./statement.ts";

/** What claims are checked against, read from the rows inside their transaction and never remembered. */
export interface GuardRows {
  /** @param target null for a case that does not exist. */
  forClaim(target: Pick<Case, "agentId" | "upstream" | "tool"> | null, nowMs: number): Steps<ClaimGuards>;
  killSwitches(): Steps<readonly KillSwitch[]>;
  tookToken(token: number): Steps<void>;
  setting(key: SettingRow["key"]): Steps<string | null>;
  saveSetting(key: SettingRow["key"], value: string): Steps<void>;
}

/** Where fencing tokens come from. No case ever gets a token that is not greater than all it had before. */
export interface FencingTokens {
  next(): Steps<number>;
  /** A claim has used it; absent where `next` gives each token once. */
  took?(token: number): Steps<void>;
}

type Nullable<Row> = { readonly [Column in keyof Row]: Row[Column] | null };

type GuardRow = Nullable<Pick<ToolRow, "current_pin" | "accepted_pin" | "held_reason">> &
  Nullable<Pick<ToolAcceptanceRow, "safe_to_repeat" | "revision" | "accepted_at_ms">> & {
    readonly agent: string | null;
    readonly agent_revoked_at_ms: number | null;
    readonly fingerprint: Sha256Hex | null;
    readonly policy_version: string | null;
  };

function acceptanceOf(row: GuardRow): ClaimGuards["acceptance"] {
  if (row.revision === null || row.accepted_at_ms === null) return null;
  const safeToRepeat = row.safe_to_repeat === null ? null : row.safe_to_repeat === 1;
  return { revision: row.revision, safeToRepeat, atMs: row.accepted_at_ms };
}

const save = statement(
  "insert into settings (key, value) values (:key, :value) on conflict (key) do update set value = excluded.value",
);
const setting = statement<{ value: string }>("select value from settings where key = :key");
const switches = statement<KillSwitch>("select scope, target from kill_switches order by scope, target");

/** One row, whatever is missing. */
const GUARDS = statement<GuardRow>(`
  select a.id as agent, a.revoked_at_ms as agent_revoked_at_ms, u.fingerprint, p.value as policy_version,
    t.current_pin, t.accepted_pin, t.held_reason, s.revision, s.safe_to_repeat, s.accepted_at_ms
  from (select 1 as one) one
  left join agents a on a.id = :agent
  left join upstreams u on u.name = :upstream
  left join tools t on t.upstream = :upstream and t.name = :tool
  left join tool_acceptances s on s.upstream = t.upstream and s.name = t.name and s.pin = t.accepted_pin
  left join settings p on p.key = 'policy_version'`);

function* readSetting(key: SettingRow["key"]): Steps<string | null> {
  return (yield* setting.get({ key }))?.value ?? null;
}

/** Counts claims in a row, in their own transactions; for a database whose transactions have it to themselves. */
export const countedTokens: FencingTokens = {
  *next() {
    return Number((yield* readSetting("fencing_token")) ?? 0) + 1;
  },
  took: (token) => save.send({ key: "fencing_token", value: String(token) }),
};

export function createGuardRows(tokens: FencingTokens): GuardRows {
  return {
    killSwitches: () => switches.all(),
    setting: readSetting,
    saveSetting: (key, value) => save.send({ key, value }),
    *tookToken(token) {
      if (tokens.took !== undefined) yield* tokens.took(token);
    },
    *forClaim(target, nowMs) {
      const { agentId: agent = "", upstream = "", tool = "" } = target ?? {};
      const row = yield* GUARDS.get({ agent, upstream, tool });
      if (row === undefined) throw new Error("a select without a condition gave no row");
      return {
        killSwitches: yield* switches.all(),
        agentEnabled: row.agent !== null && row.agent_revoked_at_ms === null,
        upstreamFingerprint: row.fingerprint,
        currentPin: row.current_pin,
        acceptedPin: row.accepted_pin,
        heldReasonId: row.held_reason,
        acceptance: acceptanceOf(row),
        policyVersion: row.policy_version,
        nextToken: yield* tokens.next(),
        nowMs,
      };
    },
  };
}
