import { describe, expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import type { PersonId } from "../domain/ids.ts";
import { payload } from "../governance/transitions/plan.ts";
import { ADMIN, HOUR_MS, OWNER, REVIEW_FOR_MS, RUN_WITHIN_MS, SARAH, TOOL } from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

export function testDecisions(subject: () => Subject): void {
  describe("recordDecision", () => {
    test("an approval authorizes the digest that was shown, for a limited time", async () => {
      const { gateway } = subject();
      const { case: waiting } = await gateway.opened();
      const reason = payload("reason", "looks right", gateway.random);
      const result = await gateway.store.recordDecision(gateway.decision(waiting, { reason }));
      expect(result).toMatchObject({
        kind: "recorded",
        repeated: false,
        case: {
          state: "AUTHORIZED",
          authorization: "human",
          authorizedDigest: waiting.actionDigest,
          decidedBy: SARAH,
          runByMs: gateway.clock.nowMs() + RUN_WITHIN_MS,
        },
      });
      expect(await gateway.store.getPayload(waiting.ref, "reason")).toBe("looks right");
    });

    test("a rejection ends the case", async () => {
      const { gateway } = subject();
      const { case: waiting } = await gateway.opened();
      const result = await gateway.store.recordDecision(gateway.decision(waiting, { decision: "REJECTED" }));
      expect(result).toMatchObject({
        kind: "recorded",
        case: { state: "REJECTED", reasonId: "review.rejected" },
      });
    });

    test("only a reviewer decides: not an admin, not a stranger, not a revoked person", async () => {
      const { gateway, database } = subject();
      const { case: waiting } = await gateway.opened();
      const refused = { kind: "not_entitled", because: "not_a_reviewer", case: waiting };
      for (const personId of [ADMIN, "nobody" as PersonId]) {
        expect(await gateway.store.recordDecision(gateway.decision(waiting, { personId })), personId).toEqual(
          refused,
        );
      }
      await database.sql(`update people set revoked_at_ms = 1 where id = '${SARAH}'`);
      expect(await gateway.store.recordDecision(gateway.decision(waiting))).toEqual(refused);
    });

    test("the agent's owner does not decide, unless one person runs everything", async () => {
      const { gateway } = subject();
      const { case: waiting } = await gateway.opened();
      const byOwner = gateway.decision(waiting, { personId: OWNER });
      expect(await gateway.store.recordDecision(byOwner)).toMatchObject({
        kind: "not_entitled",
        because: "owns_the_agent",
      });
      expect(await gateway.store.recordDecision({ ...byOwner, singleOperator: true })).toMatchObject({
        kind: "recorded",
      });
    });

    test("a case that came back to review is not approved by whoever shows no digest", async () => {
      const { gateway } = subject();
      const approved = await gateway.approved();
      const tools = [{ name: TOOL.name, pin: sha256("changed"), definition: TOOL.definition }];
      await gateway.store.recordTools({ upstream: TOOL.upstream, tools });
      const back = await gateway.store.claim(gateway.claimParams(approved));
      expect(back).toMatchObject({ kind: "not_claimable", case: { state: "AWAITING_REVIEW" } });
      const blind = gateway.decision(approved, { digestShown: null });
      expect(await gateway.store.recordDecision(blind)).toMatchObject({ kind: "stale_digest" });
      const old = gateway.decision(approved, { digestShown: approved.actionDigest });
      expect(await gateway.store.recordDecision(old)).toMatchObject({ kind: "stale_digest" });
    });

    test("a deadline that a kill switch froze does not end the case under the reviewer's hand", async () => {
      const { gateway } = subject();
      const { case: waiting } = await gateway.opened();
      await gateway.store.engageKillSwitch({ scope: "all", target: "*", by: ADMIN, reason: "stop" });
      gateway.clock.advance(REVIEW_FOR_MS);
      expect(await gateway.store.recordDecision(gateway.decision(waiting))).toMatchObject({
        kind: "recorded",
        case: { state: "AUTHORIZED" },
      });
    });

    test("a decision on what is not on record any more is refused; one that names no digest means the one on record", async () => {
      const { gateway } = subject();
      const { case: waiting } = await gateway.opened();
      expect(
        await gateway.store.recordDecision(gateway.decision(waiting, { digestShown: sha256("old") })),
      ).toEqual({
        kind: "stale_digest",
        case: waiting,
      });
      const blind = await gateway.store.recordDecision(gateway.decision(waiting, { digestShown: null }));
      expect(blind).toMatchObject({ kind: "recorded", case: { authorizedDigest: waiting.actionDigest } });
    });

    test("a decision at the deadline is too late and expires the case; a moment before it counts", async () => {
      const { gateway } = subject();
      const { case: inTime } = await gateway.opened();
      const { case: late } = await gateway.opened();
      gateway.clock.advance(REVIEW_FOR_MS - 1);
      expect(await gateway.store.recordDecision(gateway.decision(inTime))).toMatchObject({
        kind: "recorded",
      });
      gateway.clock.advance(1);
      expect(await gateway.store.recordDecision(gateway.decision(late))).toMatchObject({
        kind: "not_open",
        case: { state: "EXPIRED", reasonId: "review.expired" },
      });
      expect(await gateway.store.getCase(late.ref)).toMatchObject({ state: "EXPIRED" });
    });

    test("the same decision again is answered as the first time, also when the case has moved on; the opposite is refused", async () => {
      const { gateway } = subject();
      const approved = await gateway.approved();
      const again = gateway.decision(approved);
      const opposite = gateway.decision(approved, { decision: "REJECTED" });
      expect(await gateway.store.recordDecision(again)).toEqual({
        kind: "recorded",
        repeated: true,
        case: approved,
      });
      expect(await gateway.store.recordDecision(opposite)).toEqual({ kind: "not_open", case: approved });
      await gateway.store.claim(gateway.claimParams(approved));
      gateway.clock.advance(HOUR_MS);
      expect(await gateway.store.recordDecision(again)).toMatchObject({
        kind: "recorded",
        repeated: true,
        case: { state: "EXECUTING" },
      });
      expect(await gateway.store.recordDecision(opposite)).toMatchObject({ kind: "not_open" });
    });

    test("of two opposite decisions at the same time, one stands", async () => {
      const { gateway } = subject();
      const { case: waiting } = await gateway.opened();
      const results = await Promise.all([
        gateway.store.recordDecision(gateway.decision(waiting)),
        gateway.store.recordDecision(gateway.decision(waiting, { decision: "REJECTED" })),
      ]);
      expect(results.map((r) => r.kind)).toEqual(["recorded", "not_open"]);
    });

    test("a case sent back to review needs a new decision on its new digest", async () => {
      const { gateway } = subject();
      const approved = await gateway.approved();
      const changed = { ...TOOL, pin: sha256("changed") };
      await gateway.store.recordTools({ upstream: TOOL.upstream, tools: [changed] });
      await gateway.store.claim(gateway.claimParams(approved));
      const back = await gateway.store.getCase(approved.ref);
      expect(await gateway.store.recordDecision(gateway.decision(approved))).toEqual({
        kind: "stale_digest",
        case: back,
      });
      if (back === null) throw new Error("the case is gone");
      expect(await gateway.store.recordDecision(gateway.decision(back))).toMatchObject({
        kind: "recorded",
        repeated: false,
        case: { state: "AUTHORIZED", authorizedDigest: back.actionDigest },
      });
    });
  });
}
