import { describe, expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import type { ToolManifest } from "../domain/manifest.ts";
import type { AcceptToolParams } from "../governance/transitions/acceptance.ts";
import type { ListedTool } from "../governance/transitions/listing.ts";
import {
  ADMIN,
  allowed,
  autoApproved,
  type Gateway,
  openGateway,
  REVIEW_FOR_MS,
  TOOL,
} from "./fixture.testsuite.ts";
import type { Subject } from "./store.testsuite.ts";

const MANIFEST: ToolManifest = { class: "money", reversible: false, data: ["financial"] };

const listed = (name: string, change: Partial<ListedTool> = {}): ListedTool => ({
  name,
  pin: sha256(name),
  definition: { name, description: `Does ${name}.`, inputSchema: { type: "object" } },
  ...change,
});

const acceptance = (change: Partial<AcceptToolParams> = {}): AcceptToolParams => ({
  upstream: TOOL.upstream,
  name: TOOL.name,
  pin: TOOL.pin,
  manifest: MANIFEST,
  safeToRepeat: null,
  by: ADMIN,
  ...change,
});

export function testTools(subject: () => Subject): void {
  testListing(subject);
  testAcceptance(subject);
  testSafeToRepeat(subject);
}

function testListing(subject: () => Subject): void {
  const pinOf = async (id: string) =>
    (await subject().gateway.store.listToolPins()).find((pin) => `${pin.upstream}/${pin.name}` === id);

  describe("listing tools", () => {
    test("the first listing of an upstream is accepted, a tool that appears later is not", async () => {
      const { store } = subject().gateway;
      await store.recordTools({ upstream: TOOL.upstream, tools: [TOOL, listed("later")] });
      await store.recordTools({
        upstream: "fresh",
        tools: [{ ...TOOL, exposedName: "fresh_pay" }, listed("later")],
      });
      expect([...(await store.acceptedPins(TOOL.upstream)).keys()]).toEqual([TOOL.name]);
      expect([...(await store.acceptedPins("fresh")).keys()].toSorted()).toEqual(
        ["later", TOOL.name].toSorted(),
      );
      expect((await pinOf("fresh/later"))?.acceptance).toBeNull();
    });

    test("where the operator wants to look first, every tool of a new upstream waits, and its calls go to a human", async () => {
      const { gateway } = subject();
      const fresh = { upstream: "fresh", upstreamFingerprint: sha256("fresh"), exposedName: "fresh_pay" };
      const tool = { ...TOOL, ...fresh };
      await gateway.store.recordUpstream({ name: "fresh", fingerprint: tool.upstreamFingerprint });
      await gateway.store.recordTools({
        upstream: "fresh",
        tools: [tool, listed("b")],
        firstSight: "review",
      });
      expect(await gateway.store.acceptedPins("fresh")).toEqual(new Map());
      const { case: held } = await gateway.opened({ tool, ruling: allowed });
      expect(held).toMatchObject({ state: "AWAITING_REVIEW", reasonId: "tool.new" });
      await gateway.store.acceptTool(acceptance({ upstream: "fresh" }));
      const acceptanceRevision = 1;
      const { token } = await gateway.opened({ tool, ruling: allowed, acceptanceRevision });
      expect(token).not.toBeNull();
    });

    test("a name that can be taken for an accepted tool's is held until an admin accepts it, even at first sight", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const tools = ["раy", "PAY", "harmless"].map((name) => listed(name));
      const held = await store.recordTools({ upstream: "fresh", tools });
      const about = `${TOOL.upstream}/${TOOL.name}`;
      expect(held).toEqual([
        { name: "PAY", reasonId: "tool.confusable", about: "fresh/раy" },
        { name: "раy", reasonId: "tool.confusable", about: "fresh/PAY" },
      ]);
      await store.recordTools({ upstream: "later", tools: [listed("Pay")] });
      expect((await pinOf("later/Pay"))?.held).toEqual({ reasonId: "tool.confusable", about });
      expect([...(await store.acceptedPins("fresh")).keys()]).toEqual(["harmless"]);

      const tool = { ...TOOL, ...listed("Pay"), upstream: "later", upstreamFingerprint: sha256("later") };
      await store.recordUpstream({ name: "later", fingerprint: tool.upstreamFingerprint });
      for (const ruling of [allowed, autoApproved]) {
        const { case: waiting } = await gateway.opened({ tool, ruling });
        expect(waiting).toMatchObject({ state: "AWAITING_REVIEW", reasonId: "tool.confusable" });
      }
      await store.acceptTool(acceptance({ upstream: "later", name: "Pay", pin: tool.pin }));
      expect((await pinOf("later/Pay"))?.held).toBeNull();
      expect((await gateway.opened({ tool, ruling: allowed, acceptanceRevision: 1 })).token).not.toBeNull();
    });

    test("a name that is taken stays with the tool that had it first, and comes free when that is gone", async () => {
      const { store } = subject().gateway;
      const one = { upstream: "one", tools: [listed("same", { exposedName: "same" })] };
      const two = { upstream: "two", tools: [listed("same", { exposedName: "same" }), listed("own")] };
      expect(await store.recordTools(two)).toEqual([]);
      const taken = [{ name: "same", reasonId: "tool.name_taken", about: "two/same" }];
      expect(await store.recordTools(one)).toEqual(taken);
      expect(await store.recordTools(two)).toEqual([]);
      const accept = acceptance({ upstream: "one", name: "same", pin: sha256("same") });
      expect(await store.acceptTool(accept)).toMatchObject({ kind: "unusable", reasonId: "tool.name_taken" });
      await store.recordTools({ upstream: "two", tools: [listed("own")] });
      expect(await store.recordTools(one)).toEqual([]);
      expect(await store.acceptTool(accept)).toMatchObject({ kind: "accepted" });
      // And now the other way round.
      expect(await store.recordTools(two)).toEqual([{ ...taken[0], about: "one/same" }]);
      expect(await store.recordTools({ ...two, configured: ["two"] })).toEqual([]);
    });

    test("the gateway's own names, and what can be taken for them, are not an upstream's", async () => {
      const { store } = subject().gateway;
      const tools = ["check_status", "check-status"].map((name) => listed(name, { exposedName: name }));
      expect(await store.recordTools({ upstream: "fresh", tools })).toEqual([
        { name: "check-status", reasonId: "tool.confusable", about: "fresh/check_status" },
        { name: "check_status", reasonId: "tool.name_taken", about: "gateway/check_status" },
      ]);
    });

    test("a name with characters that are not seen is never accepted", async () => {
      const { store } = subject().gateway;
      const name = "re\u202ead";
      await store.recordTools({ upstream: "fresh", tools: [listed(name)] });
      const accept = acceptance({ upstream: "fresh", name, pin: sha256(name) });
      expect(await store.acceptTool(accept)).toMatchObject({
        kind: "unusable",
        reasonId: "tool.name_hidden",
      });
    });

    test("a tool under a new name is known again, also when the old one had vanished before", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const definition = { ...TOOL.definition, name: "transfer" };
      await store.recordTools({ upstream: TOOL.upstream, tools: [] });
      const renamed = { name: "transfer", pin: sha256("transfer"), definition };
      expect(await store.recordTools({ upstream: TOOL.upstream, tools: [renamed, listed("other")] })).toEqual(
        [{ name: "transfer", reasonId: "tool.renamed", about: "welfare/pay" }],
      );
      const { case: waiting } = await gateway.opened({ tool: { ...TOOL, ...renamed }, ruling: allowed });
      expect(waiting).toMatchObject({ state: "AWAITING_REVIEW", reasonId: "tool.renamed" });
    });

    test("listeners hear of what changed, and of nothing else", async () => {
      const { store } = subject().gateway;
      const heard: string[] = [];
      const stop = store.onToolChange((change) => heard.push(`${change.upstream}/${change.name}`));
      await store.recordTools({ upstream: TOOL.upstream, tools: [TOOL] });
      expect(heard).toEqual([]);
      await store.recordTools({ upstream: TOOL.upstream, tools: [TOOL, listed("later")] });
      await store.acceptTool(acceptance());
      await store.acceptTool(acceptance());
      expect(heard).toEqual(["welfare/later", "welfare/pay"]);
      stop();
      await store.recordTools({ upstream: TOOL.upstream, tools: [] });
      expect(heard).toHaveLength(2);
    });
  });
}

function testAcceptance(subject: () => Subject): void {
  describe("accepting a tool", () => {
    test("takes the definition that the admin saw, and no other", async () => {
      const { store } = subject().gateway;
      const changed = { ...TOOL, pin: sha256("changed") };
      await store.recordTools({ upstream: TOOL.upstream, tools: [changed] });
      expect(await store.acceptTool(acceptance())).toEqual({ kind: "other_pin", currentPin: changed.pin });
      expect(await store.acceptTool(acceptance({ name: "none" }))).toEqual({ kind: "unknown_tool" });
      expect((await store.listToolPins())[0]).toMatchObject({
        currentPin: changed.pin,
        acceptedPin: TOOL.pin,
        acceptance: null,
      });
      const accepted = await store.acceptTool(acceptance({ pin: changed.pin }));
      expect(accepted).toMatchObject({ kind: "accepted", repeated: false });
      expect((await store.acceptedPins(TOOL.upstream)).get(TOOL.name)).toBe(changed.pin);
    });

    test("keeps what was said with who said it, once", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const first = await store.acceptTool(acceptance({ safeToRepeat: true }));
      expect(first).toEqual({
        kind: "accepted",
        repeated: false,
        acceptance: {
          pin: TOOL.pin,
          revision: 1,
          safeToRepeat: true,
          manifest: MANIFEST,
          by: ADMIN,
          atMs: gateway.clock.nowMs(),
        },
      });
      gateway.clock.advance(1000);
      expect(await store.acceptTool(acceptance({ by: null }))).toEqual({ ...first, repeated: true });
      const key = { upstream: TOOL.upstream, name: TOOL.name, pin: TOOL.pin };
      expect(await store.acceptanceOf(key)).toMatchObject({ revision: 1, safeToRepeat: true });
      expect(await store.acceptanceOf({ ...key, pin: sha256("other") })).toBeNull();
    });

    test("is in the ledger with who, what and which definition", async () => {
      const { database, gateway } = subject();
      await gateway.store.acceptTool(acceptance({ safeToRepeat: true }));
      const rows = await database.sql("select bytes from ledger_events where bytes like '%tool.accepted%'");
      expect(rows.map((row) => JSON.parse(String(row["bytes"])))).toMatchObject([
        {
          actor: { kind: "admin", id: ADMIN },
          details: {
            upstream: TOOL.upstream,
            tool: TOOL.name,
            pin: TOOL.pin,
            class: "money",
            safe_to_repeat: true,
          },
        },
      ]);
    });

    test("a call that was ruled on before an admin said something new is ruled on again", async () => {
      const { gateway } = subject();
      const params = gateway.openParams({ ruling: autoApproved });
      await gateway.store.acceptTool(acceptance());
      expect(await gateway.store.openCase(params)).toEqual({ kind: "policy_outdated" });
      expect(await gateway.store.openCase({ ...params, acceptanceRevision: 1 })).toMatchObject({
        kind: "opened",
      });
      await gateway.store.acceptTool(acceptance({ manifest: { ...MANIFEST, class: "execute" } }));
      const again = gateway.openParams({ ruling: autoApproved, acceptanceRevision: 1 });
      expect(await gateway.store.openCase(again)).toEqual({ kind: "policy_outdated" });
    });

    test("a call that only its score let through does not run on a score from before an admin's word", async () => {
      const { gateway } = subject();
      const auto = await released(gateway, { ruling: autoApproved });
      const byPolicy = await released(gateway, { ruling: allowed });
      const human = await gateway.approved();
      gateway.clock.advance(1);
      await gateway.store.acceptTool(acceptance({ manifest: { ...MANIFEST, class: "execute" } }));
      expect(await gateway.store.claim(gateway.claimParams(auto))).toMatchObject({
        kind: "not_claimable",
        case: { state: "AWAITING_REVIEW", reasonId: "tool.accepted_anew" },
      });
      const allow = gateway.claimParams(byPolicy, { verdict: "allow" });
      expect(await gateway.store.claim(allow)).toMatchObject({ kind: "claimed" });
      expect(await gateway.store.claim(gateway.claimParams(human))).toMatchObject({ kind: "claimed" });
    });

    test("holds for another process on the same database at once", async () => {
      const { gateway, database } = subject();
      const other = await openGateway(database, {
        clock: gateway.clock,
        name: "second",
        besideGateway: true,
      });
      await other.store.acceptTool(acceptance({ safeToRepeat: true }));
      const { case: opened } = await gateway.opened({ ruling: allowed, acceptanceRevision: 1 });
      expect(opened.safeToRepeat).toBe(true);
      await other.store.close();
    });
  });
}

function testSafeToRepeat(subject: () => Subject): void {
  const changed = { ...TOOL, pin: sha256("changed") };

  describe("safe to repeat", () => {
    test("is an admin's word on a definition, and goes before what the configuration says", async () => {
      const { gateway } = subject();
      const open = async (safeToRepeat: boolean, acceptanceRevision: number | null) =>
        (await gateway.opened({ ruling: allowed, safeToRepeat, acceptanceRevision })).case.safeToRepeat;
      expect([await open(false, null), await open(true, null)]).toEqual([false, true]);
      await gateway.store.acceptTool(acceptance({ safeToRepeat: true }));
      expect(await open(false, 1)).toBe(true);
      await gateway.store.acceptTool(acceptance({ safeToRepeat: false }));
      expect(await open(true, 2)).toBe(false);
      // Saying something else of the same definition leaves this as it was.
      await gateway.store.acceptTool(acceptance({ manifest: { ...MANIFEST, class: "write" } }));
      expect(await open(true, 3)).toBe(false);
    });

    test("is lost with the definition, whoever said it, and needs a new acceptance", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      await store.acceptTool(acceptance({ safeToRepeat: true }));
      await store.recordTools({ upstream: TOOL.upstream, tools: [changed] });
      for (const safeToRepeat of [false, true]) {
        const opened = await gateway.opened({ tool: changed, ruling: allowed, safeToRepeat, observe: true });
        expect(opened.case).toMatchObject({ state: "EXECUTING", safeToRepeat: false });
      }
      await store.acceptTool(acceptance({ pin: changed.pin }));
      const after = await gateway.opened({ tool: changed, ruling: allowed, acceptanceRevision: 1 });
      expect(after.case.safeToRepeat).toBe(false);
      // The first definition comes back, and an admin accepts it again without the word.
      await store.recordTools({ upstream: TOOL.upstream, tools: [TOOL] });
      await store.acceptTool(acceptance());
      const back = await gateway.opened({ ruling: allowed, acceptanceRevision: 2 });
      expect(back.case.safeToRepeat).toBe(false);
    });

    test("is not kept by a case that waits while the definition changes", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      const { case: waiting } = await gateway.opened({ safeToRepeat: true });
      expect(waiting.safeToRepeat).toBe(true);
      const decided = await store.recordDecision(gateway.decision(waiting));
      if (decided.kind !== "recorded") throw new Error(decided.kind);
      await store.recordTools({ upstream: TOOL.upstream, tools: [changed] });
      const sentBack = await store.claim(gateway.claimParams(decided.case));
      if (sentBack.kind !== "not_claimable") throw new Error(sentBack.kind);
      expect(sentBack.case).toMatchObject({ reasonId: "tool.changed", safeToRepeat: false });
      const again = await store.recordDecision(gateway.decision(sentBack.case));
      if (again.kind !== "recorded") throw new Error(again.kind);
      // Even where an admin accepted the new definition meanwhile, without the word.
      await store.acceptTool(acceptance({ pin: changed.pin }));
      expect(await store.claim(gateway.claimParams(again.case))).toMatchObject({
        kind: "claimed",
        case: { safeToRepeat: false },
      });
    });

    test("taken back while a case waits, it is gone at the claim", async () => {
      const { gateway } = subject();
      const { store } = gateway;
      await store.acceptTool(acceptance({ safeToRepeat: true }));
      const { case: waiting } = await gateway.opened({ acceptanceRevision: 1 });
      const decided = await store.recordDecision(gateway.decision(waiting));
      if (decided.kind !== "recorded") throw new Error(decided.kind);
      expect(decided.case.safeToRepeat).toBe(true);
      await store.acceptTool(acceptance({ safeToRepeat: false }));
      const claimed = await store.claim(gateway.claimParams(decided.case));
      expect(claimed).toMatchObject({ kind: "claimed", case: { safeToRepeat: false } });
      if (claimed.kind !== "claimed") throw new Error(claimed.kind);
      gateway.clock.advance(REVIEW_FOR_MS);
      const { ref, token } = { ref: claimed.case.ref, token: claimed.token };
      const lost = await store.recordLost({ ref, token, writer: gateway.writer, claimantIsDead: true });
      expect(lost).toMatchObject({ case: { state: "UNKNOWN" } });
    });
  });
}

/** A case that ran at once, and was given back because nothing was sent. */
async function released(gateway: Gateway, change: Parameters<Gateway["opened"]>[0]) {
  const { case: running } = await gateway.opened(change);
  const result = await gateway.store.releaseClaim({
    ref: running.ref,
    writer: gateway.writer,
    token: running.fencingToken ?? -1,
    reasonId: "upstream.unreachable",
    retryAtMs: 0,
  });
  if (result.kind !== "recorded") throw new Error(result.kind);
  return result.case;
}
