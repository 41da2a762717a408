import type { CaseRef } from "../domain/ids.ts";
import type { CaseStore } from "../governance/ports.ts";
import { caseBody } from "./case-view.ts";
import type { HistoryBody } from "./contract.ts";

export interface HistoryDeps {
  readonly store: Pick<CaseStore, "getCase" | "getPayload" | "decisionHistory">;
  readonly nowMs: () => number;
}

/** What people decided earlier of the case's tool and agent; null when there is no such case. */
export async function readHistory(ref: CaseRef, deps: HistoryDeps): Promise<HistoryBody | null> {
  const { store } = deps;
  const current = await store.getCase(ref);
  if (current === null) return null;
  const { agentId, upstream, tool } = current;
  const history = await store.decisionHistory({ ref, agentId, upstream, tool });
  const last = history.lastApproved;
  const nowMs = deps.nowMs();
  return {
    tool: history.tool,
    agent: history.agent,
    recent: history.recent.map((one) => caseBody(one, nowMs)),
    last_approved:
      last === null
        ? null
        : {
            case: caseBody(last, nowMs),
            arguments: await store.getPayload(last.ref, "arguments"),
            same_definition: last.toolPin === current.toolPin,
          },
  };
}
