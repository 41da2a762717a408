import type { DatabaseSync } from "node:sqlite";
import type { Case } from "../../domain/case.ts";
import type { Sha256Hex } from "../../domain/ids.ts";
import type { KillSwitch } from "../../domain/kill-switch.ts";
import type { ClaimGuards } from "../../governance/transitions/claim.ts";
import type { SettingRow, ToolAcceptanceRow, ToolRow } from "../database.ts";
import { prepare } from "./connection.ts";
import type { PrincipalRows } from "./principal-rows.ts";

/** What claims are checked against, read from the rows inside their transaction and never remembered. */
export interface GuardRows {
  /** @param target null for a case that does not exist. */
  forClaim(target: Pick<Case, "agentId" | "upstream" | "tool"> | null, nowMs: number): ClaimGuards;
  killSwitches(): readonly KillSwitch[];
  tookToken(token: number): void;
  setting(key: SettingRow["key"]): string | null;
  saveSetting(key: SettingRow["key"], value: string): void;
}

type ToolGuardRow = Pick<ToolRow, "current_pin" | "accepted_pin" | "held_reason"> &
  Pick<ToolAcceptanceRow, "safe_to_repeat"> & {
    readonly revision: number | null;
    readonly accepted_at_ms: number | null;
  };

function acceptanceOf(tool: ToolGuardRow | undefined): ClaimGuards["acceptance"] {
  if (tool === undefined || tool.revision === null || tool.accepted_at_ms === null) return null;
  const safeToRepeat = tool.safe_to_repeat === null ? null : tool.safe_to_repeat === 1;
  return { revision: tool.revision, safeToRepeat, atMs: tool.accepted_at_ms };
}

export function createGuardRows(db: DatabaseSync, principals: Pick<PrincipalRows, "agent">): GuardRows {
  const switches = prepare<KillSwitch>(db, "select scope, target from kill_switches order by scope, target");
  const upstream = prepare<{ fingerprint: Sha256Hex }>(
    db,
    "select fingerprint from upstreams where name = :name",
  );
  const pins = prepare<ToolGuardRow>(
    db,
    `select t.current_pin, t.accepted_pin, t.held_reason, a.revision, a.safe_to_repeat, a.accepted_at_ms
     from tools t left join tool_acceptances a on a.upstream = t.upstream and a.name = t.name and a.pin = t.accepted_pin
     where t.upstream = :upstream and t.name = :name`,
  );
  const setting = prepare<{ value: string }>(db, "select value from settings where key = :key");
  const save = prepare(
    db,
    "insert into settings (key, value) values (:key, :value) on conflict (key) do update set value = excluded.value",
  );

  const killSwitches = () => switches.all();
  const readSetting = (key: SettingRow["key"]) => setting.get({ key })?.value ?? null;

  return {
    killSwitches,
    setting: readSetting,
    saveSetting(key, value) {
      save.run({ key, value });
    },
    tookToken(token) {
      save.run({ key: "fencing_token", value: String(token) });
    },
    forClaim(target, nowMs) {
      const agent = target === null ? null : principals.agent(target.agentId);
      const tool = target === null ? undefined : pins.get({ upstream: target.upstream, name: target.tool });
      const fingerprint = target === null ? null : upstream.get({ name: target.upstream })?.fingerprint;
      return {
        killSwitches: killSwitches(),
        agentEnabled: agent !== null && agent.revokedAtMs === null,
        upstreamFingerprint: fingerprint ?? null,
        currentPin: tool?.current_pin ?? null,
        acceptedPin: tool?.accepted_pin ?? null,
        heldReasonId: tool?.held_reason ?? null,
        acceptance: acceptanceOf(tool),
        policyVersion: readSetting("policy_version"),
        nextToken: Number(readSetting("fencing_token") ?? 0) + 1,
        nowMs,
      };
    },
  };
}
