import { describe, expect, test } from "vitest";
import type { Case } from "../domain/case.ts";
import { sha256 } from "../domain/digest.ts";
import type { AssessmentParams } from "../governance/transitions/assessment.ts";
import { payload } from "../governance/transitions/plan.ts";
import {
  AGENT,
  assessment,
  type Gateway,
  POLICY,
  RUN_WITHIN_MS,
  SETTLE_WITHIN_MS,
  TOOL,
} from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

const WITHIN_MS = 25_000;
const auto = { to: "AUTHORIZED", authorization: "auto", reasonId: "risk.below_threshold" } as const;

/** The end of an assessment that waited for a model: every guard that opening a call has, once more. */
export function testAssessment(current: () => Subject): void {
  describe("recordAssessment", () => {
    const gateway = () => current().gateway;

    async function assessing(): Promise<Case> {
      const opened = await gateway().opened({
        ruling: { to: "ASSESSING", reasonId: "risk.assessing", withinMs: WITHIN_MS },
      });
      return opened.case;
    }

    function params(waiting: Case, change: Partial<AssessmentParams> = {}): AssessmentParams {
      const { random, writer }: Gateway = gateway();
      const value = { ...assessment, risk_score: 30, classification: "LOW", assessor: "m+e" } as const;
      return {
        ref: waiting.ref,
        writer,
        policy: { verdict: "assess", ruleId: "rule-1", version: POLICY },
        assessment: { value, payload: payload("assessment", JSON.stringify(value), random) },
        judgement: payload("judgement", '{"shown":"secret-marker"}', random),
        threshold: 70,
        ruling: auto,
        safeToRepeat: false,
        acceptanceRevision: null,
        settleWithinMs: SETTLE_WITHIN_MS,
        reviewForMs: 1_000,
        runWithinMs: RUN_WITHIN_MS,
        claim: true,
        ...change,
      };
    }

    test("a case that waits for a model is due when nobody reports on it", async () => {
      const waiting = await assessing();
      expect(waiting).toMatchObject({ state: "ASSESSING", reasonId: "risk.assessing", authorization: null });
      const { store, clock, writer } = gateway();
      clock.advance(WITHIN_MS - 1);
      expect(await store.dueCases({ writer, limit: 10 })).toEqual([]);
      clock.advance(1);
      expect((await store.dueCases({ writer, limit: 10 })).map((c) => c.ref)).toEqual([waiting.ref]);
    });

    test("authorizes and claims in one commit, and keeps what the model was shown", async () => {
      const waiting = await assessing();
      const result = await gateway().store.recordAssessment(params(waiting));
      expect(result).toMatchObject({
        kind: "assessed",
        token: expect.any(Number),
        case: {
          state: "EXECUTING",
          authorization: "auto",
          riskScore: 30,
          classification: "LOW",
          assessor: "m+e",
        },
      });
      expect(await gateway().store.getPayload(waiting.ref, "judgement")).toBe('{"shown":"secret-marker"}');
      expect(await gateway().store.getPayload(waiting.ref, "assessment")).toContain('"risk_score":30');
    });

    test("leaves the claim to the engine when no agent waits", async () => {
      const waiting = await assessing();
      const { store, clock, writer } = gateway();
      const result = await store.recordAssessment(params(waiting, { claim: false }));
      expect(result).toMatchObject({ token: null, case: { state: "AUTHORIZED", fencingToken: null } });
      expect((await store.dueCases({ writer, limit: 10 })).map((c) => c.ref)).toEqual([waiting.ref]);
      expect(clock.nowMs()).toBe(result.kind === "assessed" ? result.case.dueAtMs : null);
    });

    test("asks a human once, with the deadline of a human", async () => {
      const waiting = await assessing();
      const ruling = { to: "AWAITING_REVIEW", reasonId: "risk.above_threshold" } as const;
      const { store, clock } = gateway();
      const result = await store.recordAssessment(params(waiting, { ruling }));
      expect(result).toMatchObject({
        token: null,
        case: { state: "AWAITING_REVIEW", reviewByMs: clock.nowMs() + 1_000, dueAtMs: clock.nowMs() + 1_000 },
      });
      expect(await store.recordAssessment(params(waiting))).toMatchObject({
        kind: "not_assessing",
        case: { state: "AWAITING_REVIEW" },
      });
      expect((await store.dueMessages(10)).map((m) => m.topic)).toEqual(["review.requested"]);
    });

    test("does nothing to a case that was withdrawn, or that does not exist", async () => {
      const waiting = await assessing();
      await gateway().store.withdraw({ ref: waiting.ref, actor: { kind: "agent", id: AGENT } });
      expect(await gateway().store.recordAssessment(params(waiting))).toMatchObject({
        kind: "not_assessing",
        case: { state: "CANCELLED" },
      });
      const unknown = { ...waiting, ref: "evt_none" as Case["ref"] };
      expect(await gateway().store.recordAssessment(params(unknown))).toMatchObject({ kind: "unknown_case" });
    });

    test("wants the policy that is in force", async () => {
      const waiting = await assessing();
      await gateway().store.activatePolicy("v2");
      expect(await gateway().store.recordAssessment(params(waiting))).toEqual({ kind: "policy_outdated" });
    });

    test("wants what an admin says of the tool now", async () => {
      const waiting = await assessing();
      const { store } = gateway();
      const manifest = { class: "money", reversible: false, data: [] } as const;
      const { upstream, name, pin } = TOOL;
      await store.acceptTool({ upstream, name, pin, manifest, safeToRepeat: true, by: null });
      expect(await store.recordAssessment(params(waiting))).toEqual({ kind: "policy_outdated" });
      const revision = (await store.acceptanceOf({ upstream, name, pin }))?.revision ?? null;
      expect(await store.recordAssessment(params(waiting, { acceptanceRevision: revision }))).toMatchObject({
        kind: "assessed",
        case: { state: "EXECUTING", safeToRepeat: true },
      });
    });

    test("a kill switch keeps the claim away, not the score", async () => {
      const waiting = await assessing();
      const { store } = gateway();
      await store.engageKillSwitch({ scope: "agent", target: AGENT, by: null, reason: "stop" });
      expect(await store.recordAssessment(params(waiting))).toMatchObject({
        token: null,
        case: { state: "AUTHORIZED" },
      });
    });

    test.each([
      [
        "a revoked agent",
        () => gateway().store.revokeAgent({ id: AGENT, by: null }),
        "DENIED",
        "agent.revoked",
      ],
      [
        "another upstream",
        () => gateway().store.recordUpstream({ name: TOOL.upstream, fingerprint: sha256("elsewhere") }),
        "AWAITING_REVIEW",
        "upstream.changed",
      ],
      [
        "another definition",
        () =>
          gateway().store.recordTools({
            upstream: TOOL.upstream,
            tools: [
              {
                name: TOOL.name,
                pin: sha256("other"),
                definition: { ...TOOL.definition, description: "Other." },
              },
            ],
          }),
        "AWAITING_REVIEW",
        "tool.changed",
      ],
    ] as const)("%s is not let through by a score", async (_name, change, state, reasonId) => {
      const waiting = await assessing();
      await change();
      const result = await gateway().store.recordAssessment(params(waiting));
      expect(result).toMatchObject({ kind: "assessed", token: null, case: { state, reasonId } });
    });
  });
}
