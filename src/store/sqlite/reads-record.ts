import type { ReadStore } from "../../governance/read-ports.ts";
import { planRead, readAnswerEvent } from "../../governance/transitions/read.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { GuardRows } from "./guard-rows.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { PrincipalRows } from "./principal-rows.ts";

export interface ReadsRecordDeps {
  readonly commits: GroupCommit;
  readonly guards: Pick<GuardRows, "killSwitches" | "setting">;
  readonly principals: Pick<PrincipalRows, "agent">;
  readonly ledger: Pick<LedgerWriter, "append">;
}

/** Reads leave events only: there is no row that could be changed or erased. */
export function createReadsRecord({ commits, guards, principals, ledger }: ReadsRecordDeps): ReadStore {
  return {
    recordRead: (params) =>
      commits.run((tx) => {
        const agent = principals.agent(params.agentId);
        const { answer, event } = planRead(
          {
            agentEnabled: agent !== null && agent.revokedAtMs === null,
            killSwitches: guards.killSwitches(),
            policyVersion: guards.setting("policy_version"),
          },
          params,
        );
        if (event !== null) ledger.append(event, tx.nowMs);
        return answer;
      }),
    recordReadAnswer: (params) => commits.run((tx) => ledger.append(readAnswerEvent(params), tx.nowMs)),
  };
}
