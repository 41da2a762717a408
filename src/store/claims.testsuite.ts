import { describe, expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import {
  ADMIN,
  AGENT,
  allowed,
  autoApproved,
  openGateway,
  POLICY,
  RUN_WITHIN_MS,
  SETTLE_WITHIN_MS,
  TOOL,
} from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

export function testClaims(subject: () => Subject): void {
  describe("claim", () => {
    test("an approved case is claimed once; the second claim is told where it is", async () => {
      const { gateway } = subject();
      const approved = await gateway.approved();
      const result = await gateway.store.claim(gateway.claimParams(approved));
      expect(result).toMatchObject({
        kind: "claimed",
        case: {
          state: "EXECUTING",
          claimedBy: gateway.writer,
          dueAtMs: gateway.clock.nowMs() + SETTLE_WITHIN_MS,
        },
      });
      expect(await gateway.store.claim(gateway.claimParams(approved))).toMatchObject({
        kind: "not_claimable",
        case: { state: "EXECUTING" },
      });
    });

    test("of concurrent claims, of one gateway and of two, exactly one wins", async () => {
      const { gateway, database } = subject();
      const other = await openGateway(database, { clock: gateway.clock, name: "second" });
      const approved = await gateway.approved();
      const results = await Promise.all(
        [gateway, other, gateway, other].map((g) => g.store.claim(g.claimParams(approved))),
      );
      expect(results.map((r) => r.kind).sort()).toEqual([
        "claimed",
        "not_claimable",
        "not_claimable",
        "not_claimable",
      ]);
      await other.store.close();
    });

    test("tokens grow with every claim of any case and writer", async () => {
      const { gateway, database } = subject();
      const other = await openGateway(database, { clock: gateway.clock, name: "second" });
      const tokens = [
        (await gateway.opened({ ruling: allowed })).token,
        (await other.opened({ ruling: allowed, argumentsText: "{}" })).token,
        (await gateway.opened({ ruling: allowed })).token,
      ];
      expect(tokens).toEqual([1, 2, 3]);
      await other.store.close();
    });

    test("a kill switch of each scope stops it and leaves it authorized; another's does not", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const approved = await gateway.approved();
      const stopping = [
        { scope: "all", target: "*" },
        { scope: "upstream", target: TOOL.upstream },
        { scope: "tool", target: `${TOOL.upstream}/${TOOL.name}` },
        { scope: "agent", target: AGENT },
      ] as const;
      for (const killSwitch of stopping) {
        await store.engageKillSwitch({ ...killSwitch, by: ADMIN, reason: "stop" });
        expect(await store.claim(gateway.claimParams(approved)), killSwitch.scope).toEqual({
          kind: "stopped",
          case: approved,
        });
        await store.releaseKillSwitch({ ...killSwitch, by: ADMIN, reason: "over" });
      }
      await store.engageKillSwitch({ scope: "tool", target: "other/pay", by: ADMIN, reason: "stop" });
      expect(await store.claim(gateway.claimParams(approved))).toMatchObject({ kind: "claimed" });
    });

    test("a changed tool, a vanished tool and a changed upstream void the approval", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const cases = [
        {
          change: () =>
            store.recordTools({ upstream: TOOL.upstream, tools: [{ ...TOOL, pin: sha256("other") }] }),
          reasonId: "tool.changed",
          patch: { toolPin: sha256("other") },
        },
        {
          change: () => store.recordTools({ upstream: TOOL.upstream, tools: [] }),
          reasonId: "tool.changed",
          patch: {},
        },
        {
          change: () => store.recordUpstream({ name: TOOL.upstream, fingerprint: sha256("moved") }),
          reasonId: "upstream.changed",
          patch: { upstreamFingerprint: sha256("moved") },
        },
      ];
      for (const { change, reasonId, patch } of cases) {
        const approved = await gateway.approved();
        await change();
        const result = await store.claim(gateway.claimParams(approved));
        expect(result).toMatchObject({
          kind: "not_claimable",
          case: { state: "AWAITING_REVIEW", reasonId, authorization: null, authorizedDigest: null, ...patch },
        });
        const after = await store.getCase(approved.ref);
        expect(after?.actionDigest).not.toBe(approved.actionDigest);
        await store.recordTools({ upstream: TOOL.upstream, tools: [TOOL] });
        await store.recordUpstream({ name: TOOL.upstream, fingerprint: TOOL.upstreamFingerprint });
      }
    });

    test("a human may approve a definition that no admin accepted; the machines may not", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { case: byMachine } = await gateway.opened({ ruling: autoApproved });
      await store.releaseClaim(release(byMachine.fencingToken, byMachine.ref));
      const changed = { ...TOOL, pin: sha256("changed") };
      await store.recordTools({ upstream: TOOL.upstream, tools: [changed] });
      const { case: waiting } = await gateway.opened({ tool: changed });
      const decided = await store.recordDecision(gateway.decision(waiting));
      if (decided.kind !== "recorded") throw new Error(decided.kind);
      expect(await store.claim(gateway.claimParams(decided.case))).toMatchObject({ kind: "claimed" });
      expect(await store.claim(gateway.claimParams(byMachine))).toMatchObject({
        case: { reasonId: "tool.changed" },
      });

      function release(token: number | null, ref: typeof byMachine.ref) {
        return {
          ref,
          writer: gateway.writer,
          token: token ?? -1,
          reasonId: "upstream.unreachable",
          retryAtMs: 0,
        } as const;
      }
    });

    test("a definition that went back to what was approved but not accepted still needs a human for automatic runs", async () => {
      const { gateway, database } = subject();
      const { store } = gateway;
      const { case: running } = await gateway.opened({ ruling: autoApproved });
      const back = {
        ref: running.ref,
        writer: gateway.writer,
        token: running.fencingToken ?? -1,
        retryAtMs: 0,
      };
      await store.releaseClaim({ ...back, reasonId: "upstream.unreachable" });
      await database.sql(`update tools set accepted_pin = '${sha256("accepted later")}'`);
      expect(await store.claim(gateway.claimParams(running))).toMatchObject({
        kind: "not_claimable",
        case: { state: "AWAITING_REVIEW", reasonId: "tool.changed" },
      });
    });

    test("a revoked agent's case is denied", async () => {
      const { gateway } = subject();
      const approved = await gateway.approved();
      await gateway.store.revokeAgent({ id: AGENT, by: ADMIN });
      expect(await gateway.store.claim(gateway.claimParams(approved))).toMatchObject({
        kind: "not_claimable",
        case: { state: "DENIED", reasonId: "agent.revoked", authorization: null },
      });
    });

    test("the time to run ends exactly at its deadline", async () => {
      const { gateway } = subject();
      const inTime = await gateway.approved();
      const late = await gateway.approved();
      gateway.clock.advance(RUN_WITHIN_MS - 1);
      expect(await gateway.store.claim(gateway.claimParams(inTime))).toMatchObject({ kind: "claimed" });
      gateway.clock.advance(1);
      expect(await gateway.store.claim(gateway.claimParams(late))).toMatchObject({
        kind: "not_claimable",
        case: { state: "EXPIRED", reasonId: "run.expired" },
      });
    });

    test("policy that denies now ends it; policy that changed since it was asked must be asked again", async () => {
      const { gateway } = subject();
      const approved = await gateway.approved();
      expect(await gateway.store.claim(gateway.claimParams(approved, { version: "policy-0" }))).toEqual({
        kind: "policy_outdated",
      });
      await gateway.store.activatePolicy("policy-2");
      expect(await gateway.store.claim(gateway.claimParams(approved, { version: POLICY }))).toEqual({
        kind: "policy_outdated",
      });
      const denying = gateway.claimParams(approved, { version: "policy-2", verdict: "deny" });
      expect(await gateway.store.claim(denying)).toMatchObject({
        case: { state: "DENIED", reasonId: "policy.denied" },
      });
    });

    test("policy that asks for more than the machines gave sends it to a human, who has the last word", async () => {
      const { gateway } = subject();
      const tightened = [
        { ruling: allowed, verdict: "assess" },
        { ruling: allowed, verdict: "review" },
        { ruling: autoApproved, verdict: "review" },
      ] as const;
      for (const { ruling, verdict } of tightened) {
        const { case: running } = await gateway.opened({ ruling });
        const token = running.fencingToken ?? -1;
        const back = { ref: running.ref, writer: gateway.writer, token, retryAtMs: 0 } as const;
        await gateway.store.releaseClaim({ ...back, reasonId: "upstream.unreachable" });
        expect(await gateway.store.claim(gateway.claimParams(running, { verdict }))).toMatchObject({
          case: { state: "AWAITING_REVIEW", reasonId: "policy.tightened" },
        });
      }
      const approved = await gateway.approved();
      expect(await gateway.store.claim(gateway.claimParams(approved, { verdict: "review" }))).toMatchObject({
        kind: "claimed",
      });
    });

    test("an authorization that names another digest is void", async () => {
      const { gateway, database } = subject();
      const approved = await gateway.approved();
      await database.sql(
        `update cases set authorized_digest = '${sha256("other")}' where ref = '${approved.ref}'`,
      );
      expect(await gateway.store.claim(gateway.claimParams(approved))).toMatchObject({
        kind: "not_claimable",
        case: { state: "AWAITING_REVIEW", reasonId: "review.stale_digest" },
      });
    });

    test("a case that waits, and one that does not exist, cannot be claimed", async () => {
      const { gateway } = subject();
      const { case: waiting } = await gateway.opened();
      expect(await gateway.store.claim(gateway.claimParams(waiting))).toMatchObject({
        kind: "not_claimable",
      });
      const { ref } = gateway.openParams();
      expect(await gateway.store.claim({ ...gateway.claimParams(waiting), ref })).toEqual({
        kind: "unknown_case",
        ref,
      });
    });
  });
}
