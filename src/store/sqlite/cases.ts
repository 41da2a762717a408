import type { Kysely } from "kysely";
import type { Clock } from "../../domain/clock.ts";
import { joinKey, sha256 } from "../../domain/digest.ts";
import type { CaseRef, PersonId } from "../../domain/ids.ts";
import type { CaseChanged, CaseStore } from "../../governance/ports.ts";
import { planAssessment } from "../../governance/transitions/assessment.ts";
import { planClaim } from "../../governance/transitions/claim.ts";
import { planDecision } from "../../governance/transitions/decision.ts";
import { planExpire, planWithdraw } from "../../governance/transitions/ending.ts";
import { type OpenCaseParams, planOpenCase, RECENT_MS } from "../../governance/transitions/open-case.ts";
import { planLost, planOutcome, planRelease } from "../../governance/transitions/outcome.ts";
import type { Plan } from "../../governance/transitions/plan.ts";
import { planResolution } from "../../governance/transitions/resolution.ts";
import { planReleaseReview, planTake } from "../../governance/transitions/taking.ts";
import { planUndo } from "../../governance/transitions/undo.ts";
import { approvedCalls } from "../approved-calls.ts";
import { countCases, listCases } from "../case-lists.ts";
import { caseTimeline } from "../case-timeline.ts";
import type { Database } from "../database.ts";
import type { CaseRows } from "./case-rows.ts";
import type { GroupCommit, Transaction } from "./group-commit.ts";
import type { GuardRows } from "./guard-rows.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { PrincipalRows } from "./principal-rows.ts";
import type { Reads } from "./reads.ts";

export interface CasesDeps {
  readonly commits: GroupCommit;
  readonly reads: Reads;
  readonly rows: CaseRows;
  readonly guards: GuardRows;
  readonly principals: PrincipalRows;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly kysely: Kysely<Database>;
  readonly clock: Clock;
  readonly listen: (listener: (change: CaseChanged) => void) => () => void;
}

/** Each command reads what its pure transition needs, asks it, and carries the answer out, all in one transaction. */
export function createCases(deps: CasesDeps): CaseStore {
  return { ...caseCommands(deps), ...caseNotes(deps), ...caseQueries(deps), onChange: deps.listen };
}

type Commands = Pick<
  CaseStore,
  | "openCase"
  | "recordAssessment"
  | "claim"
  | "recordOutcome"
  | "releaseClaim"
  | "recordLost"
  | "recordDecision"
  | "resolveUnknown"
  | "takeReview"
  | "releaseReview"
  | "undo"
  | "withdraw"
  | "expire"
>;

function caseCommands({ commits, rows, guards, principals }: CasesDeps): Commands {
  /** The fencing counter grows with the claim that used its next token, in the same transaction. */
  function carryOut<Answer>(plan: Plan<Answer>, tx: Transaction, nextToken?: number): Answer {
    if (plan.writes === null) return plan.answer;
    rows.carryOut(plan.writes, tx);
    if (nextToken !== undefined && plan.writes.next.fencingToken === nextToken) guards.tookToken(nextToken);
    return plan.answer;
  }

  function personAndCase(params: { readonly ref: CaseRef; readonly personId: PersonId }, tx: Transaction) {
    const current = rows.find(params.ref);
    return {
      case: current,
      agent: current === null ? null : principals.agent(current.agentId),
      person: principals.person(params.personId),
      nowMs: tx.nowMs,
    };
  }

  return {
    openCase: (params) =>
      commits.run((tx) => {
        const key = callKey(params);
        const read = guards.forClaim(
          { agentId: params.agentId, upstream: params.tool.upstream, tool: params.tool.name },
          tx.nowMs,
        );
        const snapshot = {
          open: rows.findOpen(key),
          recent: rows.findEnded(key, tx.nowMs - RECENT_MS),
          guards: read,
        };
        return carryOut(planOpenCase(snapshot, params), tx, read.nextToken);
      }),
    recordAssessment: (params) =>
      commits.run((tx) => {
        const current = rows.find(params.ref);
        const read = guards.forClaim(current, tx.nowMs);
        return carryOut(planAssessment(current, read, params), tx, read.nextToken);
      }),
    claim: (params) =>
      commits.run((tx) => {
        const current = rows.find(params.ref);
        const read = guards.forClaim(current, tx.nowMs);
        return carryOut(planClaim(current, read, params), tx, read.nextToken);
      }),
    recordOutcome: (params) =>
      commits.run((tx) => carryOut(planOutcome(rows.find(params.ref), tx.nowMs, params), tx)),
    releaseClaim: (params) =>
      commits.run((tx) => carryOut(planRelease(rows.find(params.ref), tx.nowMs, params), tx)),
    recordLost: (params) =>
      commits.run((tx) => carryOut(planLost(rows.find(params.ref), tx.nowMs, params), tx)),
    recordDecision: (params) =>
      commits.run((tx) => {
        const snapshot = {
          ...personAndCase(params, tx),
          decisions: rows.decisions(params.ref),
          killSwitches: guards.killSwitches(),
          policyVersion: guards.setting("policy_version"),
        };
        return carryOut(planDecision(snapshot, params), tx);
      }),
    resolveUnknown: (params) =>
      commits.run((tx) => carryOut(planResolution(personAndCase(params, tx), params), tx)),
    takeReview: (params) => commits.run((tx) => carryOut(planTake(personAndCase(params, tx), params), tx)),
    releaseReview: (params) =>
      commits.run((tx) => carryOut(planReleaseReview(personAndCase(params, tx), params), tx)),
    undo: (params) => commits.run((tx) => carryOut(planUndo(personAndCase(params, tx), params), tx)),
    withdraw: (params) =>
      commits.run((tx) => carryOut(planWithdraw(rows.find(params.ref), tx.nowMs, params), tx)),
    expire: (params) =>
      commits.run((tx) => {
        const read = { nowMs: tx.nowMs, killSwitches: guards.killSwitches() };
        return carryOut(planExpire(rows.find(params.ref), read, params), tx);
      }),
  };
}

function callKey(params: OpenCaseParams) {
  return joinKey({
    agentId: params.agentId,
    upstream: params.tool.upstream,
    tool: params.tool.name,
    argumentsSha256: sha256(params.arguments.text),
  });
}

function caseNotes({
  commits,
  rows,
  ledger,
}: CasesDeps): Pick<CaseStore, "postpone" | "markReported" | "recordRefusal"> {
  return {
    postpone: (ref, untilMs) => commits.run((tx) => rows.postpone(ref, untilMs, tx.nowMs)),
    async markReported(refs: readonly CaseRef[]) {
      if (refs.length === 0) return;
      await commits.run((tx) => {
        for (const ref of refs) rows.markReported(ref, tx.nowMs);
      });
    },
    recordRefusal: (params) =>
      commits.run((tx) =>
        ledger.append(
          {
            type: "call.refused",
            actor: { kind: "agent", id: params.agentId },
            details: { reason: params.reasonId, tool_sha256: params.toolSha256 },
          },
          tx.nowMs,
        ),
      ),
  };
}

type Queries = Pick<
  CaseStore,
  | "getCase"
  | "listCases"
  | "countCases"
  | "caseTimeline"
  | "approvedCalls"
  | "dueCases"
  | "nextDueAtMs"
  | "getPayload"
>;

function caseQueries({ reads, rows, kysely, clock }: CasesDeps): Queries {
  return {
    getCase: (ref) => reads(() => rows.find(ref)),
    listCases: (filter) => reads(() => listCases(kysely, filter, clock.nowMs())),
    countCases: (states) => reads(() => countCases(kysely, states)),
    approvedCalls: (params) => reads(() => approvedCalls(kysely, params)),
    caseTimeline: (params) => reads(() => caseTimeline(kysely, params)),
    dueCases: ({ writer, limit }) => reads(() => rows.due({ writer, limit, nowMs: clock.nowMs() })),
    nextDueAtMs: () => reads(() => rows.nextDueAtMs()),
    getPayload: (ref, kind) => reads(() => rows.payload(ref, kind)),
  };
}
