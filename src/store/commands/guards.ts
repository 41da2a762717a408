import { commitment } from "../../domain/digest.ts";
import { type RandomBytes, randomHex, type Sha256Hex, type WriterId } from "../../domain/ids.ts";
import type { EngagedKillSwitch, GuardStore } from "../../governance/ports.ts";
import { administrator } from "../administrator.ts";
import { type Commits, OF_GUARDS, type Reads } from "./commits.ts";
import type { GuardRows } from "./guard-rows.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import { type Steps, statement } from "./statement.ts";

export interface GuardsDeps {
  readonly commits: Commits;
  readonly reads: Reads;
  readonly rows: GuardRows;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly writer: WriterId;
  readonly random: RandomBytes;
}

/** Kill switches and the policy in force. */
export function createGuards(deps: GuardsDeps): Switches & Pick<GuardStore, "activatePolicy"> {
  return { ...killSwitches(deps), ...policyGuard(deps) };
}

function policyGuard({ commits, rows, ledger, writer }: GuardsDeps): Pick<GuardStore, "activatePolicy"> {
  return {
    activatePolicy: (version) =>
      commits.run(OF_GUARDS, function* (tx) {
        const previous = yield* rows.setting("policy_version");
        if (previous === version) return;
        yield* rows.saveSetting("policy_version", version);
        const details = { version, previous };
        yield* ledger.append(
          { type: "policy.activated", actor: administrator(null, writer), details },
          tx.nowMs,
        );
      }),
  };
}

type Switches = Pick<GuardStore, "engageKillSwitch" | "releaseKillSwitch" | "listKillSwitches">;

/** Cases that a switch of this scope and target holds. */
const HELD_CASES = `state in ('AWAITING_REVIEW', 'AUTHORIZED') and (
  :scope = 'all'
  or (:scope = 'upstream' and upstream = :target)
  or (:scope = 'tool' and upstream || '/' || tool = :target)
  or (:scope = 'agent' and agent_id = :target))`;

function killSwitches({ commits, reads, ledger, writer, random }: GuardsDeps): Switches {
  const engage = statement(`insert into kill_switches (scope, target, engaged_by, engaged_at_ms, reason, salt)
     values (:scope, :target, :by, :now, :reason, :salt) on conflict (scope, target) do nothing`);
  const keepReason = statement(
    "insert into admin_reasons (commitment, salt, text) values (:commitment, :salt, :text)",
  );
  /** Keeps the text where it can be erased; the commitment to it is what the ledger gets. */
  function* commitTo(text: string, salt: string): Steps<{ readonly reason: Sha256Hex }> {
    const reason = commitment(salt, text);
    yield* keepReason.send({ commitment: reason, salt, text });
    return { reason };
  }
  const release = statement<{ engaged_at_ms: number }>(
    "delete from kill_switches where scope = :scope and target = :target returning engaged_at_ms",
  );
  const thaw =
    statement(`update cases set review_by_ms = review_by_ms + :frozen, run_by_ms = run_by_ms + :frozen,
       due_at_ms = case state when 'AWAITING_REVIEW' then review_by_ms + :frozen else due_at_ms end,
       updated_at_ms = :now, revision = revision + 1
     where ${HELD_CASES}`);
  const list = statement<EngagedKillSwitch>(
    `select scope, target, engaged_by as "by", engaged_at_ms as "sinceMs", reason from kill_switches order by scope, target`,
  );
  return {
    engageKillSwitch: ({ scope, target, by, reason }) =>
      commits.run(OF_GUARDS, function* (tx) {
        const salt = randomHex(16, random);
        const engaged = yield* engage.run({ scope, target, by, reason, salt, now: tx.nowMs });
        if (engaged === 0) return;
        const details = { scope, target, commitments: yield* commitTo(reason, salt) };
        yield* ledger.append(
          { type: "kill_switch.engaged", actor: administrator(by, writer), details },
          tx.nowMs,
        );
      }),
    releaseKillSwitch: ({ scope, target, by, reason }) =>
      commits.run(OF_GUARDS, function* (tx) {
        const engagedAtMs = (yield* release.get({ scope, target }))?.engaged_at_ms;
        if (engagedAtMs === undefined) return false;
        const frozen = Math.max(0, tx.nowMs - engagedAtMs);
        const cases = frozen === 0 ? 0 : yield* thaw.run({ scope, target, frozen, now: tx.nowMs });
        const commitments = reason === null ? undefined : yield* commitTo(reason, randomHex(16, random));
        const details = { scope, target, frozen_ms: frozen, cases, commitments };
        yield* ledger.append(
          { type: "kill_switch.released", actor: administrator(by, writer), details },
          tx.nowMs,
        );
        return true;
      }),
    listKillSwitches: () => reads(list.all()),
  };
}
