import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { CaseRef } from "../domain/ids.ts";
import { driveCase } from "../governance/drive-case.ts";
import { governCall } from "../governance/govern-call.ts";
import { type ScriptedJudging, scored, scriptedJudging } from "../governance/judge.testing.ts";
import type { Engine } from "../governance/ports.ts";
import { recordDecision } from "../governance/record-decision.ts";
import { createRig, type Rig, type RigParams } from "../governance/rig.testing.ts";

/** An engine under test, with a way to let it do everything that is due without waiting for its timers. */
export interface EngineUnderTest extends Engine {
  /** Does all that is due now and resolves when it is done. */
  settle(): Promise<void>;
}

export interface EngineSuiteParams {
  readonly name: string;
  /** Where its cases are kept; a SQLite file by default. */
  readonly database?: {
    readonly openStore: NonNullable<RigParams["openStore"]>;
    /** Makes it empty for the next test. */
    empty(): Promise<void>;
  };
  readonly create: (rig: Rig, drive: (ref: CaseRef) => Promise<void>) => EngineUnderTest;
  /** How many cases make a crowd; a thousand by default. */
  readonly crowd?: number;
}

const UNDO_WITHIN_MS = 10_000;

/** The contract of every engine: it only wakes use cases, and whatever it does twice, late or not at all, no call runs twice. */
export function testEngine(params: EngineSuiteParams): void {
  const { crowd = 1_000 } = params;
  describe(`${params.name} engine`, () => {
    let rig: Rig;
    let engine: EngineUnderTest;
    let driven: CaseRef[];

    const rigOf = (change: RigParams = {}) =>
      createRig({ ...change, ...(params.database && { openStore: params.database.openStore }) });
    const begin = async (next: Rig) => {
      rig = next;
      driven = [];
      engine = params.create(rig, (ref) => {
        driven.push(ref);
        return driveCase(ref, rig.deps);
      });
      await engine.start();
      await engine.settle();
    };
    beforeEach(async () => begin(await rigOf()));
    afterEach(async () => {
      await engine.close();
      await rig.dispose();
      await params.database?.empty();
    });

    let amount = 0;
    async function park(): Promise<CaseRef> {
      const argumentsText = `{"amount":${++amount}}`;
      const answer = await governCall(
        { agentId: rig.agentId, exposedName: "send_money", argumentsText, metaText: null },
        rig.deps,
      );
      if (answer.kind !== "pending") throw new Error(`not pending but ${answer.kind}`);
      return answer.case.ref;
    }
    const decide = (ref: CaseRef, decision: "APPROVED" | "REJECTED", undoWithinMs = 0) =>
      recordDecision(
        { ref, personId: rig.reviewer, decision, digestShown: null, reason: null },
        { ...rig.deps, engine, editing: rig.deps, singleOperator: false, undoWithinMs },
      );
    const stateOf = async (ref: CaseRef) => (await rig.store.getCase(ref))?.state;

    test("runs an approved case as soon as the decision is recorded", async () => {
      const ref = await park();
      await decide(ref, "APPROVED");
      await engine.settle();
      expect(await stateOf(ref)).toBe("SUCCEEDED");
      expect(rig.upstreams.received).toHaveLength(1);
    });

    test("woken many times, early and late, it runs a case once", async () => {
      const ref = await park();
      for (let i = 0; i < 5; i++) engine.wake(ref);
      await decide(ref, "APPROVED");
      for (let i = 0; i < 5; i++) engine.wake(ref);
      await engine.settle();
      engine.wake(ref);
      await engine.settle();
      expect(rig.upstreams.received).toHaveLength(1);
    });

    test("leaves a case alone that waits for a human", async () => {
      const ref = await park();
      await engine.settle();
      expect(await stateOf(ref)).toBe("AWAITING_REVIEW");
      expect(driven).toEqual([]);
    });

    test(`${crowd} waiting cases hold no timer`, async () => {
      const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
      await park();
      await engine.settle();
      const before = timers();
      for (let i = 0; i < crowd; i++) await park();
      await engine.settle();
      // A pool times its idle connections, of which there are few.
      const ofConnections = params.database === undefined ? 0 : 8;
      expect(timers()).toBeLessThanOrEqual(before + ofConnections);
    });

    test("expires a case at its deadline, not before", async () => {
      const ref = await park();
      rig.clock.advance(24 * 3_600_000 - 1);
      await engine.settle();
      expect(await stateOf(ref)).toBe("AWAITING_REVIEW");
      rig.clock.advance(1);
      await engine.settle();
      expect(await stateOf(ref)).toBe("EXPIRED");
    });

    test("tries again when the upstream cannot be reached", async () => {
      const ref = await park();
      rig.upstreams.reachable = false;
      await decide(ref, "APPROVED");
      await engine.settle();
      expect(await stateOf(ref)).toBe("AUTHORIZED");
      rig.upstreams.reachable = true;
      rig.clock.advance(10 * 60_000);
      await engine.settle();
      expect(await stateOf(ref)).toBe("SUCCEEDED");
    });

    test("takes over what an earlier process approved but did not run", async () => {
      const ref = await park();
      await engine.close();
      await decide(ref, "APPROVED");
      expect(rig.upstreams.received).toHaveLength(0);
      await begin(await rig.restart());
      expect(await stateOf(ref)).toBe("SUCCEEDED");
      expect(rig.upstreams.received).toHaveLength(1);
    });

    test("gives a claim that an earlier process left to a human, and never runs it again", async () => {
      const ref = await park();
      rig.deps.store.recordOutcome = () => Promise.reject(new Error("killed"));
      await decide(ref, "APPROVED");
      await engine.settle();
      expect(rig.upstreams.received).toHaveLength(1);
      await engine.close();
      await begin(await rig.restart());
      expect(await stateOf(ref)).toBe("UNKNOWN");
      expect(rig.upstreams.received).toHaveLength(0);
    });

    test("runs an approval that can be undone when the time for that is over, not before", async () => {
      const ref = await park();
      await decide(ref, "APPROVED", UNDO_WITHIN_MS);
      engine.wake(ref);
      await engine.settle();
      rig.clock.advance(UNDO_WITHIN_MS - 1);
      await engine.settle();
      expect(await stateOf(ref)).toBe("AUTHORIZED");
      expect(rig.upstreams.received).toHaveLength(0);
      rig.clock.advance(1);
      await engine.settle();
      expect(await stateOf(ref)).toBe("SUCCEEDED");
      expect(rig.upstreams.received).toHaveLength(1);
    });

    test("the time to undo outlives the process, in which it was given and after which it ends", async () => {
      const ref = await park();
      const undone = await park();
      await decide(ref, "APPROVED", UNDO_WITHIN_MS);
      await decide(undone, "APPROVED", UNDO_WITHIN_MS);
      await engine.close();
      await begin(await rig.restart());
      expect(await stateOf(ref)).toBe("AUTHORIZED");
      await rig.store.undo({ ref: undone, personId: rig.reviewer });
      rig.clock.advance(UNDO_WITHIN_MS);
      await engine.settle();
      expect(await stateOf(ref)).toBe("SUCCEEDED");
      expect(await stateOf(undone)).toBe("CANCELLED");
      expect(rig.upstreams.received).toHaveLength(1);
    });

    test("a kill switch in the time to undo still holds the case when that is over", async () => {
      const ref = await park();
      await decide(ref, "APPROVED", UNDO_WITHIN_MS);
      const everything = { scope: "all", target: "*", by: null, reason: "a test" } as const;
      await rig.store.engageKillSwitch(everything);
      rig.clock.advance(UNDO_WITHIN_MS);
      await engine.settle();
      engine.wake(ref);
      await engine.settle();
      expect(await stateOf(ref)).toBe("AUTHORIZED");
      expect(rig.upstreams.received).toHaveLength(0);
      await rig.store.releaseKillSwitch(everything);
      rig.clock.advance(60_000);
      await engine.settle();
      expect(await stateOf(ref)).toBe("SUCCEEDED");
    });

    test("a tool that changes in the time to undo goes back to review", async () => {
      const ref = await park();
      await decide(ref, "APPROVED", UNDO_WITHIN_MS);
      rig.upstreams.redefine("send_money", { description: "Sends other people's money." });
      rig.clock.advance(UNDO_WITHIN_MS);
      await engine.settle();
      expect(await stateOf(ref)).toBe("AWAITING_REVIEW");
      expect(rig.upstreams.received).toHaveLength(0);
    });

    test("a case that fails to be driven does not stop the others", async () => {
      const broken = await park();
      const sound = await park();
      const getPayload = rig.deps.store.getPayload.bind(rig.deps.store);
      rig.deps.store.getPayload = async (ref, kind) => {
        if (ref === broken) throw new Error("unreadable");
        return getPayload(ref, kind);
      };
      await decide(broken, "APPROVED");
      await decide(sound, "APPROVED");
      await engine.settle();
      expect(await stateOf(sound)).toBe("SUCCEEDED");
      expect(await stateOf(broken)).toBe("AUTHORIZED");
    });

    test(`runs ${crowd} decisions once each`, async () => {
      const refs = [];
      for (let i = 0; i < crowd; i++) refs.push(await park());
      await Promise.all(refs.map((ref) => decide(ref, "APPROVED")));
      await engine.settle();
      const texts = rig.upstreams.received.map((c) => c.argumentsText);
      expect(texts).toHaveLength(crowd);
      expect(new Set(texts).size).toBe(crowd);
    });

    describe("with a model", () => {
      let judging: ScriptedJudging;
      beforeEach(async () => {
        await engine.close();
        await rig.dispose();
        judging = scriptedJudging(null);
        await begin(await rigOf({ judging }));
      });
      const note = { exposedName: "note_down", argumentsText: '{"text":"hi"}', metaText: null };
      /** A call that its agent does not wait for, while the model thinks. */
      async function parkAssessing(): Promise<CaseRef> {
        const answer = await governCall({ ...note, agentId: rig.agentId }, { ...rig.deps, holdMs: 0 });
        if (answer.kind !== "pending") throw new Error(`not pending but ${answer.kind}`);
        await vi.waitFor(() => expect(judging.asked.length).toBeGreaterThan(0));
        return answer.case.ref;
      }

      test("runs what the model let through after its agent was answered", async () => {
        const ref = await parkAssessing();
        for (let i = 0; i < 5; i++) engine.wake(ref);
        judging.says(scored(45));
        await engine.settle();
        expect(await stateOf(ref)).toBe("SUCCEEDED");
        expect(judging.asked).toHaveLength(1);
        expect(rig.upstreams.received).toHaveLength(1);
      });

      test("assesses again what an earlier process did not finish, at its start", async () => {
        const ref = await parkAssessing();
        await engine.close();
        judging = scriptedJudging(scored(45));
        await begin(await rig.restart({ judging }));
        expect(await stateOf(ref)).toBe("SUCCEEDED");
        expect(judging.asked).toHaveLength(1);
        expect(rig.upstreams.received).toHaveLength(1);
      });

      test("sends to a human what the model finds risky, however often it is woken", async () => {
        const ref = await parkAssessing();
        judging.says(scored(85));
        for (let i = 0; i < 5; i++) engine.wake(ref);
        await engine.settle();
        expect(await stateOf(ref)).toBe("AWAITING_REVIEW");
        expect((await rig.store.dueMessages(10)).map((m) => m.topic)).toEqual(["review.requested"]);
      });

      test("looks again at a case whose score could not be recorded, when it is due", async () => {
        const record = rig.store.recordAssessment.bind(rig.store);
        rig.deps.store.recordAssessment = () => Promise.reject(new Error("disk full"));
        const ref = await parkAssessing();
        judging.says(scored(45));
        await vi.waitFor(() => expect(rig.deps.assessing.size).toBe(0));
        rig.deps.store.recordAssessment = record;
        rig.clock.advance(judging.deadlineMs);
        await engine.settle();
        expect(await stateOf(ref)).toBe("ASSESSING");
        rig.clock.advance(5_000);
        await engine.settle();
        expect(await stateOf(ref)).toBe("SUCCEEDED");
      });
    });

    test("does nothing after close", async () => {
      const ref = await park();
      await engine.close();
      await decide(ref, "APPROVED");
      engine.wake(ref);
      expect(driven).toEqual([]);
    });
  });
}
