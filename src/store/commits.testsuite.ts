import { describe, expect, test } from "vitest";
import type { CaseChanged } from "../governance/ports.ts";
import { allowed, openGateway, POLICY } from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

export function testCommits(subject: () => Subject): void {
  describe("commits", () => {
    test("a command that fails harms none of its neighbours", async () => {
      const { gateway } = subject();
      const { case: taken } = await gateway.opened();
      const results = await Promise.allSettled([
        gateway.store.openCase(gateway.openParams()),
        gateway.store.openCase(gateway.openParams({ ref: taken.ref })),
        gateway.store.openCase(gateway.openParams({ ruling: allowed })),
      ]);
      expect(results.map((r) => r.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(await gateway.store.listCases({ limit: 10 })).toHaveLength(3);
    });

    test("a database's own words do not reach the caller", async () => {
      const { gateway } = subject();
      const { case: taken } = await gateway.opened();
      const failed = gateway.store.openCase(gateway.openParams({ ref: taken.ref }));
      await expect(failed).rejects.toMatchObject({ message: "The database refused the change." });
    });

    test("listeners hear of changes in the order of their commits; one that throws or left harms nobody", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const heard: CaseChanged[] = [];
      const unheard: CaseChanged[] = [];
      store.onChange(() => {
        throw new Error("a broken listener");
      });
      store.onChange((change) => heard.push(change));
      const stop = store.onChange((change) => unheard.push(change));
      stop();
      const { case: waiting } = await gateway.opened();
      await store.recordDecision(gateway.decision(waiting));
      await store.claim(gateway.claimParams(waiting));
      const { ref, agentId, upstream } = waiting;
      expect(heard).toEqual([
        {
          ref,
          agentId,
          from: null,
          to: "AWAITING_REVIEW",
          revision: 1,
          reported: false,
          upstream,
          reasonId: "risk.above_threshold",
          ageMs: 0,
        },
        {
          ref,
          agentId,
          from: "AWAITING_REVIEW",
          to: "AUTHORIZED",
          revision: 2,
          reported: false,
          upstream,
          reasonId: "review.approved",
          ageMs: 0,
        },
        {
          ref,
          agentId,
          from: "AUTHORIZED",
          to: "EXECUTING",
          revision: 3,
          reported: false,
          upstream,
          reasonId: "review.approved",
          ageMs: 0,
        },
      ]);
      expect(unheard).toEqual([]);
    });

    test("a command that fails tells no listener", async () => {
      const { gateway } = subject();
      const { case: taken } = await gateway.opened();
      const heard: CaseChanged[] = [];
      gateway.store.onChange((change) => heard.push(change));
      await expect(gateway.store.openCase(gateway.openParams({ ref: taken.ref }))).rejects.toMatchObject({
        code: "store.failed",
      });
      expect(heard).toEqual([]);
    });

    test("a closed store finishes what was queued and takes nothing more", async () => {
      const { gateway, database } = subject();
      const store = gateway.store;
      const params = gateway.openParams();
      const queued = store.openCase(params);
      const closed = store.close();
      await expect(store.activatePolicy("late")).rejects.toMatchObject({ code: "store.failed" });
      expect(await queued).toMatchObject({ kind: "opened" });
      await closed;
      await store.close();
      const again = await openGateway(database, { clock: gateway.clock, name: "again" });
      expect(await again.store.getCase(params.ref)).toMatchObject({ state: "AWAITING_REVIEW" });
      await again.store.close();
    });

    test("another process finds everything as it was left", async () => {
      const { gateway, database } = subject();
      const approved = await gateway.approved();
      const { case: running } = await gateway.opened({ ruling: allowed });
      await gateway.store.close();

      const again = await openGateway(database, { clock: gateway.clock, name: "again" });
      expect(await again.store.getCase(approved.ref)).toEqual(approved);
      expect(await again.store.getCase(running.ref)).toEqual(running);
      expect(await again.store.recordDecision(again.decision(approved))).toMatchObject({ repeated: true });
      const claimed = await again.store.claim(again.claimParams(approved, { version: POLICY }));
      expect(claimed).toMatchObject({ kind: "claimed", token: (running.fencingToken ?? 0) + 1 });
      expect(await again.store.dueMessages(10)).toHaveLength(1);
      await again.store.close();
    });
  });
}
