import { describe, expect, test } from "vitest";
import { CASE_STATES } from "../domain/case.ts";
import type { AgentId } from "../domain/ids.ts";
import type { CaseFilter } from "../governance/ports.ts";
import { payload } from "../governance/transitions/plan.ts";
import {
  ADMIN,
  AGENT,
  allowed,
  denied,
  type Gateway,
  HOUR_MS,
  OWNER,
  openGateway,
  REVIEW_FOR_MS,
  RUN_WITHIN_MS,
  SARAH,
  SETTLE_WITHIN_MS,
  TOOL,
} from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

export function testLifeOfCases(subject: () => Subject): void {
  testOutcomes(subject);
  testEndings(subject);
  testQueries(subject);
}

function testOutcomes(subject: () => Subject): void {
  describe("recordOutcome, releaseClaim, recordLost", () => {
    test("each outcome of a run is recorded with its result", async () => {
      const { gateway } = subject();
      for (const to of ["SUCCEEDED", "FAILED", "UNKNOWN"] as const) {
        const { case: running } = await gateway.opened({ ruling: allowed });
        const result = payload("result", `"${to}"`, gateway.random);
        const recorded = await gateway.store.recordOutcome(gateway.outcome(running, { to, result }));
        expect(recorded).toMatchObject({ kind: "recorded", case: { state: to, dueAtMs: null } });
        expect(await gateway.store.getPayload(running.ref, "result")).toBe(`"${to}"`);
      }
    });

    test("a token that was given back or taken over cannot record anything", async () => {
      const { gateway } = subject();
      const { store, writer } = gateway;
      const first = await store.claim(gateway.claimParams(await gateway.approved()));
      if (first.kind !== "claimed") throw new Error(first.kind);
      const released = await store.releaseClaim({
        ref: first.case.ref,
        writer,
        token: first.token,
        reasonId: "upstream.unreachable",
        retryAtMs: gateway.clock.nowMs() + 1000,
      });
      expect(released).toMatchObject({
        case: { state: "AUTHORIZED", attempts: 1, claimedBy: null, dueAtMs: gateway.clock.nowMs() + 1000 },
      });
      expect(await store.recordOutcome(gateway.outcome(first.case))).toMatchObject({ kind: "fenced" });
      const second = await store.claim(gateway.claimParams(first.case));
      if (second.kind !== "claimed") throw new Error(second.kind);
      expect(second.token).toBeGreaterThan(first.token);
      const stale = { ref: first.case.ref, writer, token: first.token } as const;
      expect(await store.recordOutcome(gateway.outcome(first.case))).toMatchObject({ kind: "fenced" });
      expect(await store.releaseClaim({ ...stale, reasonId: "dispatch.late", retryAtMs: 0 })).toMatchObject({
        kind: "fenced",
      });
      expect(await store.recordLost({ ...stale, claimantIsDead: true })).toMatchObject({ kind: "fenced" });
      expect(await store.recordOutcome(gateway.outcome(second.case))).toMatchObject({ kind: "recorded" });
      expect(await store.recordOutcome(gateway.outcome(second.case))).toMatchObject({ kind: "fenced" });
    });

    test("a claim whose gateway lives is lost only after its time to settle; a dead one's at once", async () => {
      const { gateway } = subject();
      const { store, writer } = gateway;
      const { case: overdue } = await gateway.opened({ ruling: allowed });
      const { case: orphan } = await gateway.opened({ ruling: allowed });
      const { case: read } = await gateway.opened({ ruling: allowed, safeToRepeat: true });
      const lost = (current: typeof overdue, claimantIsDead: boolean) =>
        store.recordLost({ ref: current.ref, writer, token: current.fencingToken ?? -1, claimantIsDead });
      expect(await lost(orphan, true)).toMatchObject({
        case: { state: "UNKNOWN", reasonId: "dispatch.lost" },
      });
      expect(await lost(read, true)).toMatchObject({ case: { state: "FAILED", reasonId: "dispatch.lost" } });
      gateway.clock.advance(SETTLE_WITHIN_MS - 1);
      expect(await lost(overdue, false)).toMatchObject({ kind: "fenced", case: { state: "EXECUTING" } });
      gateway.clock.advance(1);
      expect(await lost(overdue, false)).toMatchObject({ case: { state: "UNKNOWN" } });
    });
  });
}

function testEndings(subject: () => Subject): void {
  describe("withdraw", () => {
    test("an agent withdraws its own case and no other's", async () => {
      const { gateway } = subject();
      const { case: waiting } = await gateway.opened();
      const { ref } = waiting;
      const stranger = { kind: "agent", id: "stranger" as AgentId } as const;
      expect(await gateway.store.withdraw({ ref, actor: stranger })).toEqual({ kind: "unknown_case", ref });
      const own = { ref, actor: { kind: "agent", id: AGENT } } as const;
      expect(await gateway.store.withdraw(own)).toMatchObject({
        kind: "withdrawn",
        case: { state: "CANCELLED" },
      });
      expect(await gateway.store.withdraw(own)).toMatchObject({
        kind: "not_open",
        case: { state: "CANCELLED" },
      });
    });

    test("a reviewer rejects what waits for review and takes back what is approved", async () => {
      const { gateway } = subject();
      const actor = { kind: "reviewer", id: SARAH } as const;
      const { case: waiting } = await gateway.opened();
      expect(await gateway.store.withdraw({ ref: waiting.ref, actor })).toEqual({
        kind: "not_open",
        case: waiting,
      });
      const approved = await gateway.approved();
      expect(await gateway.store.withdraw({ ref: approved.ref, actor })).toMatchObject({ kind: "withdrawn" });
    });

    test("an approved case can be taken back until it is claimed", async () => {
      const { gateway } = subject();
      const actor = { kind: "admin", id: ADMIN } as const;
      const approved = await gateway.approved();
      expect(await gateway.store.withdraw({ ref: approved.ref, actor })).toMatchObject({
        case: { state: "CANCELLED" },
      });
      const { case: running } = await gateway.opened({ ruling: allowed });
      expect(await gateway.store.withdraw({ ref: running.ref, actor })).toMatchObject({ kind: "not_open" });
    });
  });

  describe("resolveUnknown", () => {
    test("a reviewer says what happened, and that stands", async () => {
      for (const resolution of ["SUCCEEDED", "FAILED"] as const) {
        const { gateway } = subject();
        const { unknown, params } = await unknownCase(gateway);
        expect(unknown.state).toBe("UNKNOWN");
        expect(await gateway.store.resolveUnknown({ ...params, resolution })).toMatchObject({
          kind: "resolved",
          case: { state: resolution, reasonId: "resolution.reported", decidedBy: SARAH },
        });
        expect(await gateway.store.getPayload(unknown.ref, "resolution")).toBe("asked the bank");
        expect(await gateway.store.resolveUnknown({ ...params, resolution })).toMatchObject({
          kind: "not_open",
        });
      }
    });

    test("running again is a new authorization with a new deadline, claimed once", async () => {
      const { gateway } = subject();
      const { unknown, params } = await unknownCase(gateway);
      const result = await gateway.store.resolveUnknown({ ...params, resolution: "RUN_AGAIN" });
      expect(result).toMatchObject({
        kind: "resolved",
        case: { state: "AUTHORIZED", authorization: "human", runByMs: gateway.clock.nowMs() + RUN_WITHIN_MS },
      });
      expect(await gateway.store.claim(gateway.claimParams(unknown))).toMatchObject({ kind: "claimed" });
      expect(await gateway.store.claim(gateway.claimParams(unknown))).toMatchObject({
        kind: "not_claimable",
      });
    });

    test("four eyes, the digest shown and an unknown outcome are needed", async () => {
      const { gateway } = subject();
      const { unknown, params } = await unknownCase(gateway);
      const again = { ...params, resolution: "RUN_AGAIN" } as const;
      expect(await gateway.store.resolveUnknown({ ...again, personId: OWNER })).toMatchObject({
        kind: "not_entitled",
      });
      expect(await gateway.store.resolveUnknown({ ...again, digestShown: "0" })).toMatchObject({
        kind: "stale_digest",
      });
      const { case: waiting } = await gateway.opened();
      const early = { ...again, ref: waiting.ref, digestShown: waiting.actionDigest };
      expect(await gateway.store.resolveUnknown(early)).toEqual({ kind: "not_open", case: waiting });
      expect((await gateway.store.getCase(unknown.ref))?.state).toBe("UNKNOWN");
    });
  });

  describe("expire", () => {
    test("a case ends exactly at its deadline, whether it waits for a human or for its run", async () => {
      const { gateway } = subject();
      const { store, clock, writer } = gateway;
      const approved = await gateway.approved();
      const { case: waiting } = await gateway.opened();
      const deadlines = [
        { ref: approved.ref, afterMs: RUN_WITHIN_MS, reasonId: "run.expired" },
        { ref: waiting.ref, afterMs: REVIEW_FOR_MS - RUN_WITHIN_MS, reasonId: "review.expired" },
      ];
      for (const { ref, afterMs, reasonId } of deadlines) {
        clock.advance(afterMs - 1);
        expect(await store.expire({ ref, writer })).toMatchObject({ kind: "not_due" });
        clock.advance(1);
        expect(await store.expire({ ref, writer })).toMatchObject({
          kind: "expired",
          case: { state: "EXPIRED", reasonId },
        });
        expect(await store.expire({ ref, writer })).toMatchObject({ kind: "not_due" });
      }
    });

    test("the time that a kill switch held a case is added to its deadlines", async () => {
      const { gateway } = subject();
      const { store, clock, writer } = gateway;
      const { case: waiting } = await gateway.opened();
      const approved = await gateway.approved();
      const killSwitch = { scope: "upstream", target: TOOL.upstream } as const;
      clock.advance(HOUR_MS / 2);
      await store.engageKillSwitch({ ...killSwitch, by: null, reason: "stop" });
      clock.advance(REVIEW_FOR_MS);
      expect(await store.releaseKillSwitch({ ...killSwitch, by: null, reason: "over" })).toBe(true);
      expect(await store.releaseKillSwitch({ ...killSwitch, by: null, reason: "over" })).toBe(false);
      expect(await store.getCase(waiting.ref)).toMatchObject({
        reviewByMs: (waiting.reviewByMs ?? 0) + REVIEW_FOR_MS,
        dueAtMs: (waiting.dueAtMs ?? 0) + REVIEW_FOR_MS,
      });
      expect((await store.getCase(approved.ref))?.runByMs).toBe((approved.runByMs ?? 0) + REVIEW_FOR_MS);
      expect(await store.expire({ ref: waiting.ref, writer })).toMatchObject({ kind: "not_due" });
    });

    test("a kill switch freezes the deadline, and the engine is not shown what it cannot move", async () => {
      const { gateway } = subject();
      const { store, clock, writer } = gateway;
      const { case: waiting } = await gateway.opened();
      clock.advance(REVIEW_FOR_MS);
      const switches = [
        { scope: "all", target: "*" },
        { scope: "upstream", target: TOOL.upstream },
        { scope: "tool", target: `${TOOL.upstream}/${TOOL.name}` },
        { scope: "agent", target: AGENT },
      ] as const;
      for (const killSwitch of switches) {
        await store.engageKillSwitch({ ...killSwitch, by: ADMIN, reason: "stop" });
        expect(await store.expire({ ref: waiting.ref, writer })).toEqual({ kind: "not_due", case: waiting });
        expect(await store.dueCases({ writer, limit: 10 })).toEqual([]);
        expect(await store.nextDueAtMs()).toBeNull();
        await store.releaseKillSwitch({ ...killSwitch, by: ADMIN, reason: "over" });
        expect(await store.dueCases({ writer, limit: 10 })).toEqual([waiting]);
        expect(await store.nextDueAtMs()).toBe(waiting.dueAtMs);
      }
      await store.engageKillSwitch({ scope: "tool", target: "other/pay", by: ADMIN, reason: "stop" });
      expect(await store.dueCases({ writer, limit: 10 })).toEqual([waiting]);
      expect(await store.expire({ ref: waiting.ref, writer })).toMatchObject({ kind: "expired" });
    });
  });
}

/** A case that ran without an answer, and what a reviewer needs to settle it. */
async function unknownCase(gateway: Gateway) {
  const { store, random, writer } = gateway;
  const approved = await gateway.approved();
  const claim = await store.claim(gateway.claimParams(approved));
  if (claim.kind !== "claimed") throw new Error(`expected a claim, got ${claim.kind}`);
  const outcome = gateway.outcome(claim.case, { to: "UNKNOWN", reasonId: "upstream.timeout" });
  const recorded = await store.recordOutcome(outcome);
  if (recorded.kind !== "recorded") throw new Error(`expected an outcome, got ${recorded.kind}`);
  const params = {
    ref: approved.ref,
    personId: SARAH,
    evidence: payload("resolution", "asked the bank", random),
    digestShown: recorded.case.actionDigest,
    runWithinMs: RUN_WITHIN_MS,
    undoWithinMs: 0,
    writer,
    singleOperator: false,
  };
  return { unknown: recorded.case, params };
}

function testQueries(subject: () => Subject): void {
  describe("queries", () => {
    test("lists can be narrowed to what a human was asked about, and put the next deadline first", async () => {
      const { gateway } = subject();
      const { store, clock } = gateway;
      await gateway.opened({ ruling: allowed });
      const { case: late } = await gateway.opened({ reviewForMs: 2 * HOUR_MS });
      clock.advance(1);
      const { case: soon } = await gateway.opened({ reviewForMs: HOUR_MS });
      clock.advance(1);
      const { case: later } = await gateway.opened({ reviewForMs: 3 * HOUR_MS });
      const refs = async (filter: Partial<CaseFilter>) =>
        (await store.listCases({ limit: 10, ...filter })).map((c) => c.ref);
      expect(await refs({ reviewed: true })).toEqual([later.ref, soon.ref, late.ref]);
      expect(await refs({ reviewed: true, order: "deadline" })).toEqual([soon.ref, late.ref, later.ref]);
      expect(await refs({})).toHaveLength(4);
    });

    test("due cases come earliest first, with every run of another writer", async () => {
      const { gateway, database } = subject();
      const { store, clock, writer } = gateway;
      const { case: waiting } = await gateway.opened();
      const { case: running } = await gateway.opened({ ruling: allowed });
      const approved = await gateway.approved();
      const refs = async (of = writer, limit = 10) =>
        (await store.dueCases({ writer: of, limit })).map((c) => c.ref);
      expect(await refs()).toEqual([approved.ref]);
      expect(await store.nextDueAtMs()).toBe(clock.nowMs());
      await store.postpone(approved.ref, clock.nowMs() + 5000);
      expect(await refs()).toEqual([]);
      expect(await store.nextDueAtMs()).toBe(clock.nowMs() + 5000);

      const other = await openGateway(database, { clock, name: "second" });
      expect(await refs(other.writer)).toEqual([running.ref]);
      await other.store.close();
      clock.advance(REVIEW_FOR_MS);
      expect(await refs()).toEqual([approved.ref, running.ref, waiting.ref]);
      expect(await refs(writer, 2)).toEqual([approved.ref, running.ref]);
    });

    test("only an authorized case is postponed", async () => {
      const { gateway } = subject();
      const { case: waiting } = await gateway.opened();
      await gateway.store.postpone(waiting.ref, 1);
      expect(await gateway.store.getCase(waiting.ref)).toEqual(waiting);
    });

    test("lists are filtered and newest first, and counts name every state", async () => {
      const { gateway } = subject();
      const { store, clock } = gateway;
      const { case: oldest } = await gateway.opened({ ruling: allowed });
      clock.advance(1);
      const { case: first } = await gateway.opened();
      expect((await store.listCases({ limit: 10 })).map((c) => c.ref)).toEqual([first.ref, oldest.ref]);
      await store.recordOutcome(gateway.outcome(oldest));
      clock.advance(1);
      const { case: second } = await gateway.opened({ ruling: denied });
      expect((await store.listCases({ limit: 10 })).map((c) => c.ref)).toEqual([
        second.ref,
        first.ref,
        oldest.ref,
      ]);
      expect(await store.listCases({ limit: 1 })).toEqual([second]);
      expect(await store.listCases({ states: ["AWAITING_REVIEW", "EXECUTING"], limit: 10 })).toEqual([first]);
      expect(await store.listCases({ states: [], limit: 10 })).toEqual([]);
      expect(await store.listCases({ agentId: "stranger" as AgentId, limit: 10 })).toEqual([]);
      const counts = await store.countCases();
      expect(Object.keys(counts).sort()).toEqual([...CASE_STATES].sort());
      expect(counts).toMatchObject({ AWAITING_REVIEW: 1, DENIED: 1, SUCCEEDED: 1, FAILED: 0 });
    });

    test("an ended case is unreported until its agent was told", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { case: waiting } = await gateway.opened();
      const { case: ended } = await gateway.opened({ ruling: denied });
      const unreported = async () =>
        (await store.listCases({ agentId: AGENT, unreported: true, limit: 10 })).map((c) => c.ref);
      expect(await unreported()).toEqual([ended.ref]);
      await store.markReported([ended.ref, waiting.ref]);
      expect(await unreported()).toEqual([]);
      expect(await store.getCase(waiting.ref)).toMatchObject({ reportedAtMs: null });
      expect(await store.getCase(ended.ref)).toMatchObject({ reportedAtMs: gateway.clock.nowMs() });
    });
  });
}
