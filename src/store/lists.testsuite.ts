import { describe, expect, test } from "vitest";
import type { Case } from "../domain/case.ts";
import { CASE_ORDERS, positionOf } from "../domain/case-order.ts";
import type { AgentId } from "../domain/ids.ts";
import type { CaseFilter } from "../governance/ports.ts";
import { AGENT, allowed, denied, type Gateway, HOUR_MS, RITA, SARAH, TOOL } from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

/** Lists of cases page by page, and the timeline of one. */
export function testLists(subject: () => Subject): void {
  describe("lists", () => {
    test.each(CASE_ORDERS)(
      "by %s go on exactly where they stopped, whatever comes meanwhile",
      async (order) => {
        const { gateway } = subject();
        const all = await manyCases(gateway);
        const seen: Case[] = [];
        for (;;) {
          const last = seen.at(-1);
          const after = last === undefined ? {} : { after: positionOf(last, order) };
          const page = await gateway.store.listCases({ order, limit: 4, ...after });
          if (page.length === 0) break;
          seen.push(...page);
          // Newer, and so before every page that comes.
          gateway.clock.advance(1);
          if (order === "newest") await gateway.opened();
        }
        const refs = seen.map((c) => c.ref);
        expect(new Set(refs).size).toBe(refs.length);
        expect(refs.toSorted()).toEqual(all.map((c) => c.ref).toSorted());
        const keys = seen.map((c) => positionOf(c, order).key);
        const sorted = keys.toSorted((a, b) => (order === "deadline" ? a - b : b - a));
        expect(keys).toEqual(sorted);
      },
    );

    test("are narrowed by everything a case is known by", async () => {
      const { gateway } = subject();
      const { store, clock } = gateway;
      const start = clock.nowMs();
      clock.advance(1);
      const { case: scored } = await gateway.opened();
      clock.advance(1);
      const { case: unscored } = await gateway.opened({
        ruling: denied,
        assessment: null,
        policy: { verdict: "deny", ruleId: "no-pay", version: "policy-1" },
      });
      await store.takeReview({
        ref: scored.ref,
        personId: SARAH,
        takeForMs: HOUR_MS,
        takeOver: false,
        singleOperator: false,
      });
      const refs = async (filter: Partial<CaseFilter>) =>
        (await store.listCases({ limit: 10, ...filter })).map((c) => c.ref);
      const both = [unscored.ref, scored.ref];
      expect(await refs({ agentId: AGENT, upstream: TOOL.upstream, tool: TOOL.name })).toEqual(both);
      expect(await refs({ agentId: "other" as AgentId })).toEqual([]);
      expect(await refs({ upstream: "other" })).toEqual([]);
      expect(await refs({ tool: "other" })).toEqual([]);
      expect(await refs({ ruleId: "no-pay" })).toEqual([unscored.ref]);
      expect(await refs({ reasonId: "risk.above_threshold" })).toEqual([scored.ref]);
      expect(await refs({ minScore: 85 })).toEqual([scored.ref]);
      expect(await refs({ minScore: 86 })).toEqual([]);
      expect(await refs({ openedAfterMs: start })).toEqual(both);
      expect(await refs({ openedAfterMs: scored.openedAtMs })).toEqual([unscored.ref]);
      expect(await refs({ openedBeforeMs: unscored.openedAtMs })).toEqual([scored.ref]);
      expect(await refs({ refPrefix: scored.ref.slice(0, 12) })).toEqual([scored.ref]);
      expect(await refs({ refPrefix: scored.ref })).toEqual([scored.ref]);
      expect(await refs({ refPrefix: "evt_" })).toEqual(both);
      for (const part of [TOOL.name.slice(1, -1).toUpperCase(), TOOL.upstream, AGENT.slice(0, 3)])
        expect(await refs({ search: part })).toEqual(both);
      for (const part of ["%", "_x", "\\", "nobody"]) expect(await refs({ search: part })).toEqual([]);
      expect(await refs({ takenBy: SARAH })).toEqual([scored.ref]);
      expect(await refs({ takenBy: RITA })).toEqual([]);
      clock.advance(HOUR_MS);
      expect(await refs({ takenBy: SARAH })).toEqual([]);
    });

    test("count only the states that are asked for", async () => {
      const { gateway } = subject();
      await gateway.opened();
      await gateway.opened({ ruling: denied });
      expect(await gateway.store.countCases(["AWAITING_REVIEW"])).toMatchObject({
        AWAITING_REVIEW: 1,
        DENIED: 0,
      });
    });
  });

  describe("caseTimeline", () => {
    test("gives the events of one case in their order, page by page, with ids and no texts", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const approved = await gateway.approved();
      await gateway.approved();
      await store.claim(gateway.claimParams(approved));
      const all = await store.caseTimeline({ ref: approved.ref, afterId: 0, limit: 10 });
      expect(all.map((event) => [event.type, event.from, event.to, event.actor.kind])).toEqual([
        ["case.opened", null, "ASSESSING", "agent"],
        ["case.review_requested", "ASSESSING", "AWAITING_REVIEW", "assessor"],
        ["case.authorized", "AWAITING_REVIEW", "AUTHORIZED", "reviewer"],
        ["case.claimed", "AUTHORIZED", "EXECUTING", "dispatcher"],
      ]);
      expect(all[2]).toMatchObject({ actor: { id: SARAH }, reasonId: "review.approved" });
      expect(all[2]?.writer).toBe(gateway.writer);
      const second = await store.caseTimeline({ ref: approved.ref, afterId: all[1]?.id ?? 0, limit: 1 });
      expect(second).toEqual([all[2]]);
    });
  });
}

/** Eleven cases, several of them opened in the same millisecond, with the same deadline or the same score. */
async function manyCases(gateway: Gateway): Promise<readonly Case[]> {
  const cases: Case[] = [];
  for (let i = 0; i < 11; i++) {
    if (i % 3 === 0) gateway.clock.advance(1);
    const bare = { ruling: allowed, assessment: null } as const;
    const { case: opened } = await gateway.opened(
      i % 4 === 0 ? bare : { reviewForMs: HOUR_MS * (1 + (i % 2)) },
    );
    cases.push(opened);
  }
  return cases;
}
