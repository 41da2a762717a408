import { describe, expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import { RECENT_MS } from "../governance/transitions/open-case.ts";
import {
  ADMIN,
  AGENT,
  allowed,
  autoApproved,
  denied,
  POLICY,
  REVIEW_FOR_MS,
  TOOL,
  toReview,
} from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

export function testOpening(subject: () => Subject): void {
  describe("openCase", () => {
    test("a call that may run is opened, authorized and claimed in one commit", async () => {
      const { gateway } = subject();
      for (const ruling of [allowed, autoApproved]) {
        const result = await gateway.opened({ ruling });
        expect(result.case).toMatchObject({ state: "EXECUTING", claimedBy: gateway.writer, revision: 1 });
        expect(result.token).toBe(result.case.fencingToken);
        expect(await gateway.store.getCase(result.case.ref)).toEqual(result.case);
      }
    });

    test("a call for a human waits with a deadline, and its texts are kept", async () => {
      const { gateway } = subject();
      const { case: waiting, token } = await gateway.opened({
        argumentsText: '{"amount":1}',
        ruling: toReview,
      });
      expect(token).toBeNull();
      expect(waiting).toMatchObject({
        state: "AWAITING_REVIEW",
        reviewByMs: gateway.clock.nowMs() + REVIEW_FOR_MS,
        dueAtMs: gateway.clock.nowMs() + REVIEW_FOR_MS,
        riskScore: 85,
        classification: "HIGH_RISK",
      });
      expect(await gateway.store.getPayload(waiting.ref, "arguments")).toBe('{"amount":1}');
      expect(await gateway.store.getPayload(waiting.ref, "meta")).toBeNull();
    });

    test("a denied call ends at once", async () => {
      const { gateway } = subject();
      const { case: ended } = await gateway.opened({ ruling: denied });
      expect(ended).toMatchObject({
        state: "DENIED",
        reasonId: "policy.denied",
        finishedAtMs: gateway.clock.nowMs(),
      });
    });

    test("the same call joins the open case, whether it waits, runs or its outcome is unknown", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { case: waiting } = await gateway.opened({ argumentsText: "{}" });
      expect(await store.openCase(gateway.openParams({ argumentsText: "{}" }))).toEqual({
        kind: "joined",
        case: waiting,
      });

      const { case: running } = await gateway.opened({ argumentsText: "[]", ruling: allowed });
      expect(await store.openCase(gateway.openParams({ argumentsText: "[]" }))).toEqual({
        kind: "joined",
        case: running,
      });
      await store.recordOutcome(gateway.outcome(running, { to: "UNKNOWN", reasonId: "upstream.timeout" }));
      expect(await store.openCase(gateway.openParams({ argumentsText: "[]" }))).toMatchObject({
        kind: "joined",
        case: { state: "UNKNOWN" },
      });
    });

    test("another agent's, tool's or argument's call does not join", async () => {
      const { gateway } = subject();
      await gateway.opened({ argumentsText: "{}" });
      expect(await gateway.store.openCase(gateway.openParams({ argumentsText: "{ }" }))).toMatchObject({
        kind: "opened",
      });
      const other = { ...TOOL, name: "other" };
      expect(
        await gateway.store.openCase(gateway.openParams({ argumentsText: "{}", tool: other })),
      ).toMatchObject({
        kind: "opened",
      });
    });

    test("a call that is safe to repeat never joins", async () => {
      const { gateway } = subject();
      const first = await gateway.opened({ argumentsText: "{}", ruling: allowed, safeToRepeat: true });
      const second = await gateway.opened({ argumentsText: "{}", ruling: allowed, safeToRepeat: true });
      expect(second.case.ref).not.toBe(first.case.ref);
    });

    test("an open case is joined even when a later one of the same call has ended", async () => {
      const { gateway } = subject();
      const { case: waiting } = await gateway.opened({ argumentsText: "{}" });
      gateway.clock.advance(1);
      await gateway.opened({ argumentsText: "{}", ruling: denied, safeToRepeat: true });
      const again = gateway.openParams({ argumentsText: "{}" });
      expect(await gateway.store.openCase(again)).toEqual({ kind: "joined", case: waiting });
    });

    test("a call that ended shortly before is named in the new case, and not for longer", async () => {
      const { gateway } = subject();
      const { case: running } = await gateway.opened({ argumentsText: "{}", ruling: allowed });
      await gateway.store.recordOutcome(gateway.outcome(running));
      gateway.clock.advance(RECENT_MS);
      const again = await gateway.opened({ argumentsText: "{}", ruling: denied });
      expect(again.case.identicalTo).toBe(running.ref);
      gateway.clock.advance(RECENT_MS + 1);
      expect((await gateway.opened({ argumentsText: "{}" })).case.identicalTo).toBeNull();
    });

    test("a call judged under another policy is not opened", async () => {
      const { gateway } = subject();
      const policy = { verdict: "allow", ruleId: null, version: "policy-0" } as const;
      expect(await gateway.store.openCase(gateway.openParams({ policy }))).toEqual({
        kind: "policy_outdated",
      });
      await gateway.store.activatePolicy("policy-2");
      expect(await gateway.store.openCase(gateway.openParams())).toEqual({ kind: "policy_outdated" });
      expect(await gateway.store.listCases({ limit: 10 })).toEqual([]);
      await gateway.store.activatePolicy(POLICY);
    });

    test("a kill switch of any scope and a revoked agent refuse the call", async () => {
      const { gateway } = subject();
      const switches = [
        { scope: "all", target: "*" },
        { scope: "upstream", target: TOOL.upstream },
        { scope: "tool", target: `${TOOL.upstream}/${TOOL.name}` },
        { scope: "agent", target: AGENT },
      ] as const;
      for (const killSwitch of switches) {
        await gateway.store.engageKillSwitch({ ...killSwitch, by: ADMIN, reason: "test" });
        const refused = { kind: "refused", reasonId: "kill_switch.engaged" };
        expect(await gateway.store.openCase(gateway.openParams()), killSwitch.scope).toEqual(refused);
        await gateway.store.releaseKillSwitch({ ...killSwitch, by: ADMIN, reason: "over" });
      }
      await gateway.store.revokeAgent({ id: AGENT, by: ADMIN });
      expect(await gateway.store.openCase(gateway.openParams())).toEqual({
        kind: "refused",
        reasonId: "agent.revoked",
      });
    });

    test("a ruling to run stands only on the upstream and the definition that are current and accepted", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const changed = { ...TOOL, pin: sha256("changed") };
      await store.recordTools({ upstream: TOOL.upstream, tools: [changed] });
      // Not current any more, and then current but not accepted.
      for (const tool of [TOOL, changed]) {
        expect((await gateway.opened({ tool, ruling: allowed })).case).toMatchObject({
          state: "AWAITING_REVIEW",
          reasonId: "tool.changed",
        });
      }
      await store.recordTools({ upstream: TOOL.upstream, tools: [TOOL] });
      await store.recordUpstream({ name: TOOL.upstream, fingerprint: sha256("moved") });
      expect((await gateway.opened({ ruling: allowed })).case).toMatchObject({
        state: "AWAITING_REVIEW",
        reasonId: "upstream.changed",
      });
    });
  });
}
