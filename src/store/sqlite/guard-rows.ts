import type { DatabaseSync } from "node:sqlite";
import type { Case } from "../../domain/case.ts";
import type { Sha256Hex } from "../../domain/ids.ts";
import type { KillSwitch } from "../../domain/kill-switch.ts";
import type { ClaimGuards } from "../../governance/transitions/claim.ts";
import type { SettingRow } from "../database.ts";
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

export function createGuardRows(db: DatabaseSync, principals: Pick<PrincipalRows, "agent">): GuardRows {
  const switches = prepare<KillSwitch>(db, "select scope, target from kill_switches order by scope, target");
  const upstream = prepare<{ fingerprint: Sha256Hex }>(
    db,
    "select fingerprint from upstreams where name = :name",
  );
  const pins = prepare<{ current_pin: Sha256Hex | null; accepted_pin: Sha256Hex | null }>(
    db,
    "select current_pin, accepted_pin from tools where upstream = :upstream and name = :name",
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
        policyVersion: readSetting("policy_version"),
        nextToken: Number(readSetting("fencing_token") ?? 0) + 1,
        nowMs,
      };
    },
  };
}
