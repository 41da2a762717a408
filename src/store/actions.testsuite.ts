import { describe, expect, test } from "vitest";
import type { Case } from "../domain/case.ts";
import { sha256 } from "../domain/digest.ts";
import type { PersonId } from "../domain/ids.ts";
import type { TakeParams } from "../governance/transitions/taking.ts";
import {
  ADMIN,
  AGENT,
  allowed,
  type Gateway,
  HOUR_MS,
  OWNER,
  openGateway,
  RITA,
  RUN_WITHIN_MS,
  SARAH,
  TOOL,
} from "./fixture.testsuite.ts";
import { readEvents } from "./ledger.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

const TAKE_FOR_MS = HOUR_MS / 2;
const UNDO_WITHIN_MS = 10_000;

const take = (ref: Case["ref"], personId: PersonId, change: Partial<TakeParams> = {}): TakeParams => ({
  ref,
  personId,
  takeForMs: TAKE_FOR_MS,
  takeOver: false,
  singleOperator: false,
  ...change,
});

/** What reviewers do to a case beside deciding it. */
export function testActions(subject: () => Subject): void {
  testTaking(subject);
  testUndo(subject);
  testApprovedCalls(subject);
  testDecisionHistory(subject);
}

function testTaking(subject: () => Subject): void {
  describe("takeReview", () => {
    test("gives the case to one reviewer; another who decides is told who has it, until they take it over", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { case: waiting } = await gateway.opened();
      expect(await store.takeReview(take(waiting.ref, SARAH))).toMatchObject({
        kind: "taken",
        case: { takenBy: SARAH, takenUntilMs: gateway.clock.nowMs() + TAKE_FOR_MS, state: "AWAITING_REVIEW" },
      });
      const byRita = gateway.decision(waiting, { personId: RITA });
      expect(await store.recordDecision(byRita)).toMatchObject({
        kind: "taken_by_another",
        case: { takenBy: SARAH },
      });
      expect(await store.takeReview(take(waiting.ref, RITA))).toMatchObject({
        kind: "taken_by_another",
        case: { takenBy: SARAH },
      });
      expect(await store.takeReview(take(waiting.ref, RITA, { takeOver: true }))).toMatchObject({
        kind: "taken",
        case: { takenBy: RITA },
      });
      expect(await store.recordDecision(gateway.decision(waiting))).toMatchObject({
        kind: "taken_by_another",
      });
      expect(await store.recordDecision(byRita)).toMatchObject({
        kind: "recorded",
        case: { state: "AUTHORIZED", takenBy: null, takenUntilMs: null },
      });
    });

    test("of two who take at once, exactly one has it, also on two connections", async () => {
      const { gateway, database } = subject();
      const other = await openGateway(database, {
        clock: gateway.clock,
        name: "second",
        besideGateway: true,
      });
      for (let round = 0; round < 10; round++) {
        const { case: waiting } = await gateway.opened();
        const results = await Promise.all([
          gateway.store.takeReview(take(waiting.ref, SARAH)),
          other.store.takeReview(take(waiting.ref, RITA)),
          gateway.store.takeReview(take(waiting.ref, RITA)),
        ]);
        const winners = results.flatMap((r) => (r.kind === "taken" ? [r.case.takenBy] : []));
        expect(new Set(winners).size).toBe(1);
        expect((await gateway.store.getCase(waiting.ref))?.takenBy).toBe(winners[0]);
      }
      await other.store.close();
    });

    test("ends by the clock, exactly", async () => {
      const { gateway } = subject();
      const { store, clock } = gateway;
      const { case: waiting } = await gateway.opened();
      await store.takeReview(take(waiting.ref, SARAH));
      clock.advance(TAKE_FOR_MS - 1);
      const byRita = gateway.decision(waiting, { personId: RITA });
      expect(await store.recordDecision(byRita)).toMatchObject({ kind: "taken_by_another" });
      clock.advance(1);
      expect(await store.recordDecision(byRita)).toMatchObject({ kind: "recorded" });
    });

    test("is for whoever may decide, while the case asks a person", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { case: waiting } = await gateway.opened();
      expect(await store.takeReview(take(waiting.ref, ADMIN))).toMatchObject({
        kind: "not_entitled",
        because: "not_a_reviewer",
      });
      expect(await store.takeReview(take(waiting.ref, OWNER))).toMatchObject({
        kind: "not_entitled",
        because: "owns_the_agent",
      });
      const approved = await gateway.approved();
      expect(await store.takeReview(take(approved.ref, SARAH))).toEqual({ kind: "not_open", case: approved });
    });

    test("is of the unknown outcome, too", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const unknown = await unknownCase(gateway);
      await store.takeReview(take(unknown.ref, RITA));
      const resolution = {
        ref: unknown.ref,
        personId: SARAH,
        resolution: "FAILED",
        evidence: { kind: "resolution", salt: "00", text: "asked" },
        digestShown: unknown.actionDigest,
        runWithinMs: RUN_WITHIN_MS,
        undoWithinMs: 0,
        writer: gateway.writer,
        singleOperator: false,
      } as const;
      expect(await store.resolveUnknown(resolution)).toMatchObject({ kind: "taken_by_another" });
      expect(await store.resolveUnknown({ ...resolution, personId: RITA })).toMatchObject({
        kind: "resolved",
        case: { takenBy: null },
      });
    });

    test("is on the record with ids only", async () => {
      const { gateway, database } = subject();
      const { case: waiting } = await gateway.opened();
      await gateway.store.takeReview(take(waiting.ref, SARAH));
      await gateway.store.takeReview(take(waiting.ref, RITA, { takeOver: true }));
      await gateway.store.releaseReview({ ref: waiting.ref, personId: ADMIN });
      const events = (await readEvents(database)).filter((event) => event.type.startsWith("review."));
      expect(events).toMatchObject([
        { type: "review.taken", actor: { kind: "reviewer", id: SARAH } },
        { type: "review.taken", actor: { kind: "reviewer", id: RITA }, details: { taken_from: SARAH } },
        { type: "review.released", actor: { kind: "admin", id: ADMIN }, details: { taken_from: RITA } },
      ]);
    });
  });

  describe("releaseReview", () => {
    test("is for whoever has the case, and for an admin", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { case: waiting } = await gateway.opened();
      const { ref } = waiting;
      await store.takeReview(take(ref, SARAH));
      expect(await store.releaseReview({ ref, personId: RITA })).toMatchObject({ kind: "taken_by_another" });
      expect(await store.releaseReview({ ref, personId: "nobody" as PersonId })).toMatchObject({
        kind: "not_entitled",
      });
      expect(await store.releaseReview({ ref, personId: SARAH })).toMatchObject({
        kind: "released",
        case: { takenBy: null },
      });
      const after = await store.getCase(ref);
      expect(await store.releaseReview({ ref, personId: SARAH })).toEqual({ kind: "released", case: after });
      await store.takeReview(take(ref, SARAH));
      expect(await store.releaseReview({ ref, personId: ADMIN })).toMatchObject({ kind: "released" });
      expect(await store.recordDecision(gateway.decision(waiting, { personId: RITA }))).toMatchObject({
        kind: "recorded",
      });
    });
  });
}

async function unknownCase(gateway: Gateway): Promise<Case> {
  const claim = await gateway.store.claim(gateway.claimParams(await gateway.approved()));
  if (claim.kind !== "claimed") throw new Error(`expected a claim, got ${claim.kind}`);
  const outcome = gateway.outcome(claim.case, { to: "UNKNOWN", reasonId: "upstream.timeout" });
  const recorded = await gateway.store.recordOutcome(outcome);
  if (recorded.kind !== "recorded") throw new Error(`expected an outcome, got ${recorded.kind}`);
  return recorded.case;
}

/** A case that Sarah approved, and may still undo. */
async function undoable(gateway: Gateway): Promise<Case> {
  const { case: waiting } = await gateway.opened();
  const decision = gateway.decision(waiting, { undoWithinMs: UNDO_WITHIN_MS });
  const result = await gateway.store.recordDecision(decision);
  if (result.kind !== "recorded") throw new Error(`expected a recorded decision, got ${result.kind}`);
  return result.case;
}

function testApprovedCalls(subject: () => Subject): void {
  describe("approvedCalls", () => {
    test("counts what people approved of one definition, and nothing that was ever said otherwise", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const call = { agentId: AGENT, upstream: TOOL.upstream, tool: TOOL.name, toolPin: TOOL.pin };
      const approved = [];
      for (let i = 0; i < 3; i++) {
        approved.push(await gateway.approved());
        gateway.clock.advance(1);
      }
      await gateway.opened({ ruling: allowed });
      const refs = approved.toReversed().map((one) => one.ref);
      const found = { ...call, approvals: 3, highestScore: 85, refs };
      expect(await store.approvedCalls({ of: null, atLeast: 3 })).toEqual([found]);
      expect(await store.approvedCalls({ of: call, atLeast: 3 })).toEqual([found]);
      expect(await store.approvedCalls({ of: null, atLeast: 4 })).toEqual([]);
      expect(await store.approvedCalls({ of: { ...call, toolPin: sha256("x") }, atLeast: 1 })).toEqual([]);
      const { case: rejected } = await gateway.opened();
      await store.recordDecision(gateway.decision(rejected, { decision: "REJECTED" }));
      expect(await store.approvedCalls({ of: null, atLeast: 1 })).toEqual([]);
    });
  });
}

function testDecisionHistory(subject: () => Subject): void {
  describe("decisionHistory", () => {
    test("has what people decided of the tool and the agent, and not what was taken back or nobody decided", async () => {
      const { gateway } = subject();
      const { store, clock } = gateway;
      const { case: current } = await gateway.opened();
      const { ref, agentId, upstream, tool } = current;
      const of = { ref, agentId, upstream, tool };
      const none = { approved: 0, rejected: 0 };
      expect(await store.decisionHistory(of)).toEqual({
        tool: none,
        agent: none,
        recent: [],
        lastApproved: null,
      });
      const approved = await gateway.approved();
      clock.advance(1);
      const { case: asked } = await gateway.opened();
      await store.recordDecision(gateway.decision(asked, { decision: "REJECTED" }));
      clock.advance(1);
      await store.undo({ ref: (await undoable(gateway)).ref, personId: SARAH });
      await gateway.opened({ ruling: allowed });
      const found = await store.decisionHistory(of);
      expect(found).toMatchObject({
        tool: { approved: 1, rejected: 1 },
        agent: { approved: 1, rejected: 1 },
      });
      expect(found.recent.map((one) => one.ref)).toEqual([asked.ref, approved.ref]);
      expect(found.lastApproved?.ref).toBe(approved.ref);
      const elsewhere = await store.decisionHistory({ ...of, tool: "other" });
      expect(elsewhere).toMatchObject({
        tool: none,
        agent: { approved: 1, rejected: 1 },
        lastApproved: null,
      });
      expect((await store.decisionHistory({ ...of, ref: approved.ref })).lastApproved).toBeNull();
    });
  });
}

function testUndo(subject: () => Subject): void {
  describe("undo", () => {
    test("no claim is made before the time to undo is over, and the time to run is not longer for it", async () => {
      const { gateway } = subject();
      const { store, clock } = gateway;
      const approved = await undoable(gateway);
      const now = clock.nowMs();
      expect(approved).toMatchObject({
        state: "AUTHORIZED",
        runFromMs: now + UNDO_WITHIN_MS,
        dueAtMs: now + UNDO_WITHIN_MS,
        runByMs: now + RUN_WITHIN_MS,
      });
      clock.advance(UNDO_WITHIN_MS - 1);
      expect(await store.claim(gateway.claimParams(approved))).toEqual({ kind: "too_early", case: approved });
      expect(await store.getCase(approved.ref)).toEqual(approved);
      clock.advance(1);
      expect(await store.claim(gateway.claimParams(approved))).toMatchObject({ kind: "claimed" });
    });

    test("what changed meanwhile still counts at the claim", async () => {
      const { gateway } = subject();
      const { store, clock } = gateway;
      const stopped = await undoable(gateway);
      const denied = await undoable(gateway);
      await store.engageKillSwitch({ scope: "all", target: "*", by: ADMIN, reason: "stop" });
      clock.advance(UNDO_WITHIN_MS);
      expect(await store.claim(gateway.claimParams(stopped))).toMatchObject({ kind: "stopped" });
      await store.releaseKillSwitch({ scope: "all", target: "*", by: ADMIN, reason: "over" });
      expect(await store.claim(gateway.claimParams(denied, { verdict: "deny" }))).toMatchObject({
        case: { state: "DENIED" },
      });
      await store.recordTools({ upstream: TOOL.upstream, tools: [{ ...TOOL, pin: sha256("changed") }] });
      expect(await store.claim(gateway.claimParams(stopped))).toMatchObject({
        case: { state: "AWAITING_REVIEW", reasonId: "tool.changed", runFromMs: null },
      });
    });

    test("ends the case for whoever approved it and for an admin, and nobody else", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { ref } = await undoable(gateway);
      for (const personId of [RITA, OWNER, "nobody" as PersonId])
        expect(await store.undo({ ref, personId }), personId).toMatchObject({ kind: "not_the_approver" });
      const undone = { kind: "undone", case: { state: "CANCELLED", reasonId: "review.undone" } };
      expect(await store.undo({ ref, personId: SARAH })).toMatchObject(undone);
      expect(await store.undo({ ref, personId: SARAH })).toMatchObject(undone);
      const other = await undoable(gateway);
      expect(await store.undo({ ref: other.ref, personId: ADMIN })).toMatchObject(undone);
    });

    test("is too late once the call is claimed, and is nothing for what no human approved", async () => {
      const { gateway } = subject();
      const { store, clock } = gateway;
      const approved = await undoable(gateway);
      clock.advance(UNDO_WITHIN_MS);
      await store.claim(gateway.claimParams(approved));
      expect(await store.undo({ ref: approved.ref, personId: SARAH })).toMatchObject({
        kind: "not_open",
        case: { state: "EXECUTING" },
      });
      const { case: waiting } = await gateway.opened();
      expect(await store.undo({ ref: waiting.ref, personId: ADMIN })).toMatchObject({ kind: "not_open" });
    });

    test("an approval that was undone does not stand when it is sent again", async () => {
      const { gateway } = subject();
      const approved = await undoable(gateway);
      await gateway.store.undo({ ref: approved.ref, personId: SARAH });
      expect(await gateway.store.recordDecision(gateway.decision(approved))).toMatchObject({
        kind: "not_open",
        case: { state: "CANCELLED" },
      });
    });
  });
}
