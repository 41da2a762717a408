import type { DatabaseSync } from "node:sqlite";
import { commitment } from "../../domain/digest.ts";
import { type RandomBytes, randomHex, type Sha256Hex, type WriterId } from "../../domain/ids.ts";
import type { ToolDefinition } from "../../domain/tool.ts";
import type { EngagedKillSwitch, GuardStore, ToolPin } from "../../governance/ports.ts";
import { administrator } from "../administrator.ts";
import { prepare } from "./connection.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { GuardRows } from "./guard-rows.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { Reads } from "./reads.ts";

export interface GuardsDeps {
  readonly db: DatabaseSync;
  readonly commits: GroupCommit;
  readonly reads: Reads;
  readonly rows: GuardRows;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly writer: WriterId;
  readonly random: RandomBytes;
}

export function createGuards(deps: GuardsDeps): GuardStore {
  return { ...catalogGuards(deps), ...killSwitches(deps), ...policyGuard(deps) };
}

function policyGuard({ commits, rows, ledger, writer }: GuardsDeps): Pick<GuardStore, "activatePolicy"> {
  return {
    activatePolicy: (version) =>
      commits.run((tx) => {
        const previous = rows.setting("policy_version");
        if (previous === version) return;
        rows.saveSetting("policy_version", version);
        const details = { version, previous };
        ledger.append({ type: "policy.activated", actor: administrator(null, writer), details }, tx.nowMs);
      }),
  };
}

interface ListedTool {
  readonly name: string;
  readonly pin: Sha256Hex;
  readonly definition: ToolDefinition;
}

interface RecordToolParams {
  readonly upstream: string;
  readonly listed: ListedTool;
  readonly known: KnownTool | undefined;
  /** Nothing was ever listed by this upstream, so there is nothing that a new tool could pass itself off as. */
  readonly isFirstListing: boolean;
}

interface KnownTool {
  readonly name: string;
  readonly current_pin: Sha256Hex | null;
  readonly accepted_pin: Sha256Hex | null;
}

function catalogStatements(db: DatabaseSync) {
  return {
    fingerprint: prepare<{ fingerprint: Sha256Hex }>(
      db,
      "select fingerprint from upstreams where name = :name",
    ),
    saveUpstream: prepare(
      db,
      `insert into upstreams (name, fingerprint, updated_at_ms) values (:name, :fingerprint, :now)
       on conflict (name) do update set fingerprint = excluded.fingerprint, updated_at_ms = excluded.updated_at_ms`,
    ),
    tools: prepare<KnownTool>(
      db,
      "select name, current_pin, accepted_pin from tools where upstream = :upstream order by name",
    ),
    insertTool: prepare(
      db,
      `insert into tools (upstream, name, current_pin, accepted_pin, first_seen_at_ms, changed_at_ms)
       values (:upstream, :name, :pin, :accepted, :now, :now)`,
    ),
    changeTool: prepare(
      db,
      `update tools set current_pin = :pin, changed_at_ms = :now
       where upstream = :upstream and name = :name`,
    ),
    saveDefinition: prepare(
      db,
      "insert into definitions (pin, definition) values (:pin, :definition) on conflict (pin) do nothing",
    ),
    definition: prepare<{ definition: string }>(db, "select definition from definitions where pin = :pin"),
    acceptTool: prepare(
      db,
      `update tools set accepted_pin = current_pin
       where upstream = :upstream and name = :name and current_pin = :pin and accepted_pin is distinct from :pin`,
    ),
    isAccepted: prepare<{ name: string }>(
      db,
      "select name from tools where upstream = :upstream and name = :name and current_pin = :pin and accepted_pin = :pin",
    ),
    allPins: prepare<ToolPin>(
      db,
      `select upstream, name, current_pin as currentPin, accepted_pin as acceptedPin from tools order by upstream, name`,
    ),
    dropTool: prepare(
      db,
      `update tools set current_pin = null, changed_at_ms = :now where upstream = :upstream and name = :name`,
    ),
  };
}

type CatalogGuards = Pick<
  GuardStore,
  "recordUpstream" | "recordTools" | "acceptTool" | "getDefinition" | "listToolPins" | "acceptedPins"
>;

function catalogGuards({ db, commits, reads, ledger, writer }: GuardsDeps): CatalogGuards {
  const statements = catalogStatements(db);
  const actor = administrator(null, writer);

  function recordTool({ upstream, listed, known, isFirstListing }: RecordToolParams, now: number): void {
    const row = { upstream, name: listed.name, pin: listed.pin, now };
    if (known?.current_pin !== listed.pin) {
      statements.saveDefinition.run({ pin: listed.pin, definition: JSON.stringify(listed.definition) });
    }
    if (known === undefined) {
      const accepted = isFirstListing ? listed.pin : null;
      statements.insertTool.run({ ...row, accepted });
      const details = { upstream, tool: listed.name, pin: listed.pin, accepted };
      ledger.append({ type: "tool.seen", actor, details }, now);
    } else if (known.current_pin !== listed.pin) {
      statements.changeTool.run(row);
      noteChange(upstream, known, listed.pin, now);
    }
  }

  function noteChange(upstream: string, known: KnownTool, pin: Sha256Hex | null, now: number): void {
    const details = {
      upstream,
      tool: known.name,
      from: known.current_pin,
      to: pin,
      accepted: known.accepted_pin,
    };
    ledger.append({ type: "tool.changed", actor, details }, now);
  }

  return {
    recordUpstream: ({ name, fingerprint }) =>
      commits.run((tx) => {
        const previous = statements.fingerprint.get({ name })?.fingerprint ?? null;
        if (previous === fingerprint) return;
        statements.saveUpstream.run({ name, fingerprint, now: tx.nowMs });
        const details = { upstream: name, fingerprint, previous };
        ledger.append({ type: "upstream.recorded", actor, details }, tx.nowMs);
      }),
    recordTools: ({ upstream, tools }) =>
      commits.run((tx) => {
        const known = new Map(statements.tools.all({ upstream }).map((tool) => [tool.name, tool]));
        const listed = new Map(tools.map((tool) => [tool.name, tool]));
        for (const tool of listed.values()) {
          recordTool(
            { upstream, listed: tool, known: known.get(tool.name), isFirstListing: known.size === 0 },
            tx.nowMs,
          );
        }
        for (const tool of known.values()) {
          if (listed.has(tool.name) || tool.current_pin === null) continue;
          statements.dropTool.run({ upstream, name: tool.name, now: tx.nowMs });
          noteChange(upstream, tool, null, tx.nowMs);
        }
      }),
    acceptTool: ({ upstream, name, pin, by }) =>
      commits.run((tx) => {
        if (statements.acceptTool.run({ upstream, name, pin }) === 0) {
          return statements.isAccepted.get({ upstream, name, pin }) !== undefined;
        }
        const details = { upstream, tool: name, pin };
        ledger.append({ type: "tool.accepted", actor: administrator(by, writer), details }, tx.nowMs);
        return true;
      }),
    getDefinition: (pin) =>
      reads(() => {
        const row = statements.definition.get({ pin });
        return row === undefined ? null : JSON.parse(row.definition);
      }),
    listToolPins: () => reads(() => statements.allPins.all()),
    acceptedPins: (upstream) =>
      reads(
        () =>
          new Map(
            statements.tools
              .all({ upstream })
              .flatMap(({ name, accepted_pin }) =>
                accepted_pin === null ? [] : [[name, accepted_pin] as const],
              ),
          ),
      ),
  };
}

type Switches = Pick<GuardStore, "engageKillSwitch" | "releaseKillSwitch" | "listKillSwitches">;

/** Cases that a switch of this scope and target holds. */
const HELD_CASES = `state in ('AWAITING_REVIEW', 'AUTHORIZED') and (
  :scope = 'all'
  or (:scope = 'upstream' and upstream = :target)
  or (:scope = 'tool' and upstream || '/' || tool = :target)
  or (:scope = 'agent' and agent_id = :target))`;

function killSwitches({ db, commits, reads, ledger, writer, random }: GuardsDeps): Switches {
  const engage = prepare(
    db,
    `insert into kill_switches (scope, target, engaged_by, engaged_at_ms, reason, salt)
     values (:scope, :target, :by, :now, :reason, :salt) on conflict (scope, target) do nothing`,
  );
  const release = prepare<{ engaged_at_ms: number }>(
    db,
    "delete from kill_switches where scope = :scope and target = :target returning engaged_at_ms",
  );
  const thaw = prepare(
    db,
    `update cases set review_by_ms = review_by_ms + :frozen, run_by_ms = run_by_ms + :frozen,
       due_at_ms = case state when 'AWAITING_REVIEW' then review_by_ms + :frozen else due_at_ms end,
       updated_at_ms = :now, revision = revision + 1
     where ${HELD_CASES}`,
  );
  const list = prepare<EngagedKillSwitch>(
    db,
    `select scope, target, engaged_by as "by", engaged_at_ms as sinceMs, reason from kill_switches order by scope, target`,
  );
  return {
    engageKillSwitch: ({ scope, target, by, reason }) =>
      commits.run((tx) => {
        const salt = randomHex(16, random);
        if (engage.run({ scope, target, by, reason, salt, now: tx.nowMs }) === 0) return;
        const details = { scope, target, commitments: { reason: commitment(salt, reason) } };
        ledger.append({ type: "kill_switch.engaged", actor: administrator(by, writer), details }, tx.nowMs);
      }),
    releaseKillSwitch: ({ scope, target, by }) =>
      commits.run((tx) => {
        const engagedAtMs = release.get({ scope, target })?.engaged_at_ms;
        if (engagedAtMs === undefined) return false;
        const frozen = Math.max(0, tx.nowMs - engagedAtMs);
        const cases = frozen === 0 ? 0 : thaw.run({ scope, target, frozen, now: tx.nowMs });
        const details = { scope, target, frozen_ms: frozen, cases };
        ledger.append({ type: "kill_switch.released", actor: administrator(by, writer), details }, tx.nowMs);
        return true;
      }),
    listKillSwitches: () => reads(() => list.all()),
  };
}
