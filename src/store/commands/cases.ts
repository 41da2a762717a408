import type { Case } from "../../domain/case.ts";
import { joinKey, sha256 } from "../../domain/digest.ts";
import type { CaseRef, PersonId } from "../../domain/ids.ts";
import type { Agent, Person } from "../../domain/principal.ts";
import type { CaseStore } from "../../governance/ports.ts";
import { planAssessment } from "../../governance/transitions/assessment.ts";
import { planClaim } from "../../governance/transitions/claim.ts";
import { planDecision } from "../../governance/transitions/decision.ts";
import { planExpire, planWithdraw } from "../../governance/transitions/ending.ts";
import {
  maySealLightly,
  type OpenCaseParams,
  planOpenCase,
  RECENT_MS,
} from "../../governance/transitions/open-case.ts";
import { planLost, planOutcome, planRelease } from "../../governance/transitions/outcome.ts";
import type { Durability, Plan } from "../../governance/transitions/plan.ts";
import { planResolution } from "../../governance/transitions/resolution.ts";
import { planReleaseReview, planTake } from "../../governance/transitions/taking.ts";
import { planUndo } from "../../governance/transitions/undo.ts";
import { approvedCalls } from "../approved-calls.ts";
import { countCases, listCases } from "../case-lists.ts";
import { caseTimeline } from "../case-timeline.ts";
import { decisionHistory } from "../decision-history.ts";
import type { CaseRows } from "./case-rows.ts";
import {
  type Commits,
  type Lists,
  OF_NOTHING,
  ofCall,
  ofCases,
  type Reads,
  type Transaction,
} from "./commits.ts";
import type { GuardRows } from "./guard-rows.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { PrincipalRows } from "./principal-rows.ts";
import type { Steps } from "./statement.ts";

export interface CasesDeps {
  readonly commits: Commits;
  readonly reads: Reads;
  readonly rows: CaseRows;
  readonly guards: GuardRows;
  readonly principals: PrincipalRows;
  readonly ledger: Pick<LedgerWriter, "append">;
  readonly lists: Lists;
  /** Database time. */
  readonly now: () => Steps<number>;
  readonly listen: CaseStore["onChange"];
}

/** Each command reads what its pure transition needs, asks it, and carries the answer out, all in one transaction. */
export function createCases(deps: CasesDeps): CaseStore {
  return { ...caseCommands(deps), ...caseNotes(deps), ...caseQueries(deps), onChange: deps.listen };
}

interface PersonAndCase {
  readonly case: Case | null;
  readonly agent: Agent | null;
  readonly person: Person | null;
  readonly nowMs: number;
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

/** How a command goes from rows to a plan and back to rows. */
function createTransitions({ commits, rows, guards, principals }: CasesDeps) {
  /** The fencing counter grows with the claim that used its next token, in the same transaction. */
  function* carryOut<Answer>(plan: Plan<Answer>, tx: Transaction, nextToken?: number): Steps<Answer> {
    if (plan.writes === null) return plan.answer;
    yield* rows.carryOut(plan.writes, tx);
    if (nextToken !== undefined && plan.writes.next.fencingToken === nextToken)
      yield* guards.tookToken(nextToken);
    return plan.answer;
  }

  function* personAndCase(
    params: { readonly ref: CaseRef; readonly personId: PersonId },
    tx: Transaction,
  ): Steps<PersonAndCase> {
    const current = yield* rows.find(params.ref);
    return {
      case: current,
      agent: current === null ? null : yield* principals.agent(current.agentId),
      person: yield* principals.person(params.personId),
      nowMs: tx.nowMs,
    };
  }

  function onCase<Answer>(
    ref: CaseRef,
    plan: (current: Case | null, tx: Transaction) => Plan<Answer>,
    durability: Durability = "full",
  ): Promise<Answer> {
    return commits.run(
      ofCases(ref),
      function* (tx) {
        return yield* carryOut(plan(yield* rows.find(ref), tx), tx);
      },
      durability,
    );
  }

  function byPerson<Answer>(
    params: { readonly ref: CaseRef; readonly personId: PersonId },
    plan: (read: PersonAndCase) => Plan<Answer>,
  ): Promise<Answer> {
    return commits.run(ofCases(params.ref), function* (tx) {
      return yield* carryOut(plan(yield* personAndCase(params, tx)), tx);
    });
  }

  return { carryOut, personAndCase, onCase, byPerson };
}

function caseCommands(deps: CasesDeps): Commands {
  const { commits, rows, guards } = deps;
  const { carryOut, personAndCase, onCase, byPerson } = createTransitions(deps);
  return {
    openCase: (params) =>
      commits.run(
        ofCall(callKey(params)),
        function* (tx) {
          const key = callKey(params);
          const read = yield* guards.forClaim(
            { agentId: params.agentId, upstream: params.tool.upstream, tool: params.tool.name },
            tx.nowMs,
          );
          const snapshot = {
            open: yield* rows.findOpen(key),
            recent: yield* rows.findEnded(key, tx.nowMs - RECENT_MS),
            guards: read,
          };
          return yield* carryOut(planOpenCase(snapshot, params), tx, read.nextToken);
        },
        maySealLightly(params) ? "normal" : "full",
      ),
    recordAssessment: (params) =>
      commits.run(ofCases(params.ref), function* (tx) {
        const current = yield* rows.find(params.ref);
        const read = yield* guards.forClaim(current, tx.nowMs);
        return yield* carryOut(planAssessment(current, read, params), tx, read.nextToken);
      }),
    claim: (params) =>
      commits.run(ofCases(params.ref), function* (tx) {
        const current = yield* rows.find(params.ref);
        const read = yield* guards.forClaim(current, tx.nowMs);
        return yield* carryOut(planClaim(current, read, params), tx, read.nextToken);
      }),
    recordOutcome: (params) =>
      onCase(params.ref, (current, tx) => planOutcome(current, tx.nowMs, params), params.durability),
    releaseClaim: (params) => onCase(params.ref, (current, tx) => planRelease(current, tx.nowMs, params)),
    recordLost: (params) => onCase(params.ref, (current, tx) => planLost(current, tx.nowMs, params)),
    recordDecision: (params) =>
      commits.run(ofCases(params.ref), function* (tx) {
        const snapshot = {
          ...(yield* personAndCase(params, tx)),
          decisions: yield* rows.decisions(params.ref),
          killSwitches: yield* guards.killSwitches(),
          policyVersion: yield* guards.setting("policy_version"),
        };
        return yield* carryOut(planDecision(snapshot, params), tx);
      }),
    resolveUnknown: (params) => byPerson(params, (read) => planResolution(read, params)),
    takeReview: (params) => byPerson(params, (read) => planTake(read, params)),
    releaseReview: (params) => byPerson(params, (read) => planReleaseReview(read, params)),
    undo: (params) => byPerson(params, (read) => planUndo(read, params)),
    withdraw: (params) => onCase(params.ref, (current, tx) => planWithdraw(current, tx.nowMs, params)),
    expire: (params) =>
      commits.run(ofCases(params.ref), function* (tx) {
        const read = { nowMs: tx.nowMs, killSwitches: yield* guards.killSwitches() };
        return yield* carryOut(planExpire(yield* rows.find(params.ref), read, params), tx);
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
    postpone: (ref, untilMs) => commits.run(ofCases(ref), (tx) => rows.postpone(ref, untilMs, tx.nowMs)),
    async markReported(refs: readonly CaseRef[]) {
      if (refs.length === 0) return;
      await commits.run(ofCases(...refs), function* (tx) {
        for (const ref of refs) yield* rows.markReported(ref, tx.nowMs);
      });
    },
    recordRefusal: (params) =>
      commits.run(OF_NOTHING, (tx) =>
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
  | "decisionHistory"
  | "caseTimeline"
  | "approvedCalls"
  | "dueCases"
  | "nextDueAtMs"
  | "getPayload"
>;

function caseQueries({ reads, lists, rows, now }: CasesDeps): Queries {
  return {
    getCase: (ref) => reads(rows.find(ref)),
    async listCases(filter) {
      // The time says only who still works on a case.
      const nowMs = filter.takenBy === undefined ? 0 : await reads(now());
      return lists((db) => listCases(db, filter, nowMs));
    },
    countCases: (states) => lists((db) => countCases(db, states)),
    approvedCalls: (params) => lists((db) => approvedCalls(db, params)),
    decisionHistory: (params) => lists((db) => decisionHistory(db, params)),
    caseTimeline: (params) => lists((db) => caseTimeline(db, params)),
    dueCases: ({ writer, limit }) =>
      reads(
        (function* () {
          return yield* rows.due({ writer, limit, nowMs: yield* now() });
        })(),
      ),
    nextDueAtMs: () => reads(rows.nextDueAtMs()),
    getPayload: (ref, kind) => reads(rows.payload(ref, kind)),
  };
}
