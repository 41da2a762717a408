import { describe, expect, test } from "vitest";
import { ADMIN, denied } from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

export function testFigures(subject: () => Subject): void {
  describe("figures", () => {
    test("count what waits, and nothing that has ended", async () => {
      const { gateway, database } = subject();
      const { store, clock } = gateway;
      const before = await store.figures();
      expect(before).toMatchObject({
        open: [],
        outbox: { waiting: 0, oldestAtMs: null, givenUp: 0 },
        killSwitches: { all: 0, upstream: 0, tool: 0, agent: 0 },
      });
      const firstAtMs = clock.nowMs();
      await gateway.opened();
      clock.advance(1_000);
      await gateway.opened();
      await gateway.approved();
      await gateway.opened({ ruling: denied });
      const [message] = await store.dueMessages(1);
      await store.markAttemptFailed({ id: message?.id ?? "", retryAtMs: null, error: "http 410" });
      await store.engageKillSwitch({ scope: "tool", target: "welfare/pay", by: ADMIN, reason: "stop" });
      const figures = await store.figures();
      expect(figures).toMatchObject({
        open: [
          { state: "AUTHORIZED", reasonId: "review.approved", count: 1 },
          { state: "AWAITING_REVIEW", reasonId: "risk.above_threshold", count: 2 },
        ],
        outbox: { givenUp: 1, oldestAtMs: firstAtMs + 1_000 },
        killSwitches: { all: 0, upstream: 0, tool: 1, agent: 0 },
      });
      const [events] = await database.sql("select count(*) as count from ledger_events");
      expect(figures.ledgerEvents).toBe(Number(events?.["count"]));
    });
  });
}
