import type { ReadStore } from "../../governance/read-ports.ts";
import { planRead, readAnswerEvent } from "../../governance/transitions/read.ts";
import { type Commits, OF_NOTHING, UNDER_GUARDS } from "./commits.ts";
import type { GuardRows } from "./guard-rows.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { PrincipalRows } from "./principal-rows.ts";

export interface ReadsRecordDeps {
  readonly commits: Commits;
  readonly guards: Pick<GuardRows, "killSwitches" | "setting">;
  readonly principals: Pick<PrincipalRows, "agent">;
  readonly ledger: Pick<LedgerWriter, "append">;
}

/** Reads leave events only: there is no row that could be changed or erased. */
export function createReadsRecord({ commits, guards, principals, ledger }: ReadsRecordDeps): ReadStore {
  return {
    recordRead: (params) =>
      commits.run(UNDER_GUARDS, function* (tx) {
        const agent = yield* principals.agent(params.agentId);
        const { answer, event } = planRead(
          {
            agentEnabled: agent !== null && agent.revokedAtMs === null,
            killSwitches: yield* guards.killSwitches(),
            policyVersion: yield* guards.setting("policy_version"),
          },
          params,
        );
        if (event !== null) yield* ledger.append(event, tx.nowMs);
        return answer;
      }),
    recordReadAnswer: (params) =>
      commits.run(OF_NOTHING, (tx) => ledger.append(readAnswerEvent(params), tx.nowMs)),
  };
}
