import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Case, CaseState } from "../../src/domain/case.ts";
import { sha256, toolPin } from "../../src/domain/digest.ts";
import { newWriterId, secureRandomBytes } from "../../src/domain/ids.ts";
import { type DriveCaseDeps, driveCase } from "../../src/governance/drive-case.ts";
import { governCall } from "../../src/governance/govern-call.ts";
import type { Store } from "../../src/governance/ports.ts";
import { recordDecision } from "../../src/governance/record-decision.ts";
import type { Rig } from "../../src/governance/rig.testing.ts";
import { compilePolicy, type PolicyRule, policyVersion } from "../../src/policy/policy.ts";
import {
  approval,
  createDice,
  type Dice,
  decisionDeps,
  expectBothWays,
  gateway,
  type Item,
  idle,
  interleave,
  makeItems,
  openApproved,
  openCases,
  openTrack,
  runsOf,
  stateOf,
  type Tally,
  type Track,
  type Waiting,
} from "./racetrack.ts";

/** Rounds of each race: half against a second connection in this thread, half against one in a thread of its own. */
const ROUNDS = 100;
const HOUR_MS = 3_600_000;

const DENY_ALL: readonly PolicyRule[] = [
  { id: "stop-it", upstream: "*", tool: "*", agent: "*", verdict: "deny" },
];
const STRICT = compilePolicy({ rules: DENY_ALL, version: policyVersion(DENY_ALL) });

let track: Track;
beforeAll(async () => {
  track = await openTrack();
});
afterAll(() => rmSync(track.rig.dir, { recursive: true, force: true }));

interface Scene {
  readonly item: Item;
  readonly tool: string;
  /** null: a call that runs at once, whose case is only opened by the claim. */
  readonly waiting: Case | null;
  readonly other: Store;
  readonly dice: Dice;
}

/** What another process does while the gateway claims. */
interface Change {
  readonly name: string;
  /** Calls `acknowledged` at the moment from which the change must hold. */
  act(scene: Scene, acknowledged: () => void): Promise<void>;
  undo(scene: Scene): Promise<unknown>;
  /** Where an approved case that was stopped stands. */
  readonly stands: CaseState;
}

const SCOPES = ["all", "upstream", "tool", "agent"] as const;

function targetOf(scope: (typeof SCOPES)[number], { item, tool }: Scene) {
  const targets = { all: "*", upstream: "bank", tool: `bank/${tool}`, agent: item.agentId };
  return { scope, target: targets[scope], by: null, reason: "a race" };
}

const KILL_SWITCHES = SCOPES.map(
  (scope): Change => ({
    name: `a kill switch on ${scope}`,
    stands: "AUTHORIZED",
    async act(scene, acknowledged) {
      await scene.other.engageKillSwitch(targetOf(scope, scene));
      acknowledged();
    },
    undo: (scene) => track.rig.store.releaseKillSwitch(targetOf(scope, scene)),
  }),
);

const CHANGES: readonly Change[] = [
  ...KILL_SWITCHES,
  {
    name: "a changed tool",
    stands: "AWAITING_REVIEW",
    async act({ other }, acknowledged) {
      const tools = track.rig.upstreams.listTools().map(({ name, definition }) => {
        const changed = { ...definition, description: "Now it does something else." };
        return { name, definition: changed, pin: toolPin(changed) };
      });
      await other.recordTools({ upstream: "bank", tools });
      acknowledged();
    },
    undo: () => track.rig.store.recordTools({ upstream: "bank", tools: track.rig.upstreams.listTools() }),
  },
  {
    name: "a moved upstream",
    stands: "AWAITING_REVIEW",
    async act({ other }, acknowledged) {
      await other.recordUpstream({ name: "bank", fingerprint: sha256("another bank") });
      acknowledged();
    },
    undo: () => track.rig.store.recordUpstream({ name: "bank", fingerprint: sha256("bank") }),
  },
  {
    name: "a stricter policy",
    stands: "DENIED",
    async act({ other, dice }, acknowledged) {
      const loadsFirst = dice(2) === 0;
      if (loadsFirst) track.loaded = STRICT;
      await idle(dice(3));
      await other.activatePolicy(STRICT.version);
      acknowledged();
      await idle(dice(6));
      track.loaded = STRICT;
    },
    async undo({ item: { agentId }, tool }) {
      track.loaded = track.rig.deps.policy;
      const { version } = track.loaded.evaluate({ upstream: "bank", tool, agentId });
      await track.rig.store.activatePolicy(version);
    },
  },
  {
    name: "the agent's revocation",
    stands: "DENIED",
    async act({ other, item }, acknowledged) {
      expect(await other.revokeAgent({ id: item.agentId, by: null })).toBe(true);
      acknowledged();
    },
    undo: async () => undefined,
  },
];

/** Only an approved case can be withdrawn, or be late. */
const ENDINGS: readonly Change[] = [
  {
    name: "its withdrawal by the agent",
    stands: "CANCELLED",
    async act({ other, item, waiting }, acknowledged) {
      if (waiting === null) throw new Error("There is nothing to withdraw yet.");
      const actor = { kind: "agent", id: item.agentId } as const;
      if ((await other.withdraw({ ref: waiting.ref, actor })).kind === "withdrawn") acknowledged();
    },
    undo: async () => undefined,
  },
  {
    name: "its approval undone",
    stands: "CANCELLED",
    async act({ other, waiting }, acknowledged) {
      if (waiting === null) throw new Error("There is nothing to undo yet.");
      const { ref } = waiting;
      if ((await other.undo({ ref, personId: track.rig.reviewer })).kind === "undone") acknowledged();
    },
    undo: async () => undefined,
  },
  {
    name: "its deadline",
    stands: "EXPIRED",
    async act({ other, dice, waiting }, acknowledged) {
      track.advance(1_000);
      acknowledged();
      if (waiting !== null && dice(2) === 0)
        await other.expire({ ref: waiting.ref, writer: track.rig.deps.writer });
    },
    undo: async () => undefined,
  },
];

interface Sides {
  readonly scene: Scene;
  readonly change: Change;
  readonly claim: (deps: Rig["deps"]) => Promise<unknown>;
}

/** Lets both sides go: a claim that begins after the change was promised to hold must not run the call. */
async function race({ scene, change, claim }: Sides, tally: Tally): Promise<{ readonly acted: boolean }> {
  const { dice, item } = scene;
  let acted = false;
  let seen = false;
  const deps = gateway(track, async () => {
    await idle(dice(4));
    seen = acted;
  });
  const acting = () =>
    change.act(scene, () => {
      acted = true;
    });
  await interleave(dice, acting, () => claim(deps));
  const runs = runsOf(track, item.argumentsText);
  expect(runs, "runs").toBeLessThanOrEqual(seen ? 0 : 1);
  // A call that did not run was forbidden first, also where the claim was never begun.
  tally.otherFirst += 1 - runs;
  tally.oursFirst += runs;
  return { acted };
}

describe("the claim of an approved call, against", () => {
  test.each([...CHANGES, ...ENDINGS])("$name", async (change) => {
    const dice = createDice(change.name);
    const isDeadline = change.stands === "EXPIRED";
    const runWithinMs = (round: number) => (isDeadline ? (round + 1) * 1_000 : HOUR_MS);
    const waiting = await openApproved(track, await makeItems(track, ROUNDS), runWithinMs);
    const tally = { otherFirst: 0, oursFirst: 0 };
    for (const [round, one] of waiting.entries()) {
      const { item } = one;
      const { ref } = one.case;
      const scene = { item, tool: "send_money", waiting: one.case, other: track.otherOf(round), dice };
      const drive = () =>
        driveCase(
          ref,
          gateway(track, () => idle(dice(3))),
        );
      const { acted } = await race({ scene, change, claim: (deps) => driveCase(ref, deps) }, tally);
      const runs = runsOf(track, item.argumentsText);
      if (!acted) expect(runs, "a change that came too late").toBe(1);
      // Whatever the order was: from here on the change holds.
      await drive();
      expect(runsOf(track, item.argumentsText)).toBe(runs);
      expect(await stateOf(track, one.case)).toBe(runs === 1 ? "SUCCEEDED" : change.stands);
      await change.undo(scene);
      await Promise.all([drive(), drive()]);
      expect(runsOf(track, item.argumentsText)).toBe(change.stands === "AUTHORIZED" ? 1 : runs);
    }
    expectBothWays(tally);
    expect(track.problems()).toEqual([]);
  });

  test("a second claim", async () => {
    const dice = createDice("a second claim");
    const waiting = await openApproved(track, await makeItems(track, ROUNDS), () => HOUR_MS);
    const tally = { otherFirst: 0, oursFirst: 0 };
    for (const [round, one] of waiting.entries()) {
      const claimedBy: string[] = [];
      const contend = (name: string, store: Store) => async () => {
        await idle(dice(10));
        await driveCase(one.case.ref, contender({ name, store, dice, claimedBy }));
      };
      const [ours, other] = [contend("gateway", track.rig.store), contend("other", track.otherOf(round))];
      await interleave(dice, other, () => Promise.all([ours(), ours()]));
      expect(claimedBy).toHaveLength(1);
      expect(runsOf(track, one.item.argumentsText)).toBe(1);
      expect(await stateOf(track, one.case)).toBe("SUCCEEDED");
      tally[claimedBy[0] === "other" ? "otherFirst" : "oursFirst"] += 1;
    }
    expectBothWays(tally);
    expect(track.problems()).toEqual([]);
  });
});

interface Contender {
  readonly name: string;
  readonly store: Store;
  readonly dice: Dice;
  /** Who was told that the claim is theirs. */
  readonly claimedBy: string[];
}

/** A gateway that claims through this store, and does not take the others for dead. */
function contender({ name, store, dice, claimedBy }: Contender): DriveCaseDeps {
  return {
    ...gateway(track, async () => undefined),
    writer: newWriterId(secureRandomBytes),
    otherWritersAreDead: false,
    store: {
      ...track.rig.store,
      getCase: (ref) => store.getCase(ref),
      recordOutcome: (params) => store.recordOutcome(params),
      async claim(params) {
        await idle(dice(4));
        const isLate = claimedBy.length > 0;
        const claim = await store.claim(params);
        if (claim.kind === "claimed") claimedBy.push(name);
        if (isLate) expect(claim.kind).toBe("not_claimable");
        return claim;
      },
    },
  };
}

describe("a call that runs at once, against", () => {
  test.each(CHANGES)("$name", async (change) => {
    const dice = createDice(`at once: ${change.name}`);
    const tally = { otherFirst: 0, oursFirst: 0 };
    for (const [round, item] of (await makeItems(track, ROUNDS / 2)).entries()) {
      const { agentId, argumentsText } = item;
      const scene = { item, tool: "note_down", waiting: null, other: track.otherOf(round), dice };
      const call = { agentId, exposedName: "note_down", argumentsText, metaText: null };
      const answers: string[] = [];
      const claim = async (deps: Rig["deps"]) => answers.push((await governCall(call, deps)).kind);
      await race({ scene, change, claim }, tally);
      const ran = runsOf(track, argumentsText) === 1;
      expect(answers).toEqual([ran ? "result" : expect.stringMatching(/^(pending|refused)$/)]);
      await change.undo(scene);
    }
    expectBothWays(tally);
    expect(track.problems()).toEqual([]);
  });
});

interface Rival {
  readonly name: string;
  /** Tries to get ahead of Sarah's approval; whether it did. `holds` says that from here on an approval comes too late. */
  act(one: Waiting, other: Store, dice: Dice, holds: () => void): Promise<boolean>;
  /** Where the case ends when it did, and whether it may do so even after the approval was recorded. */
  readonly ends: CaseState;
  readonly mayFollow: boolean;
  /** What runs then instead of what the agent sent. */
  edited?(item: Item): string;
}

const editOf = (item: Item) => `{"amount":${item.amount + 1_000_000}}`;

const RIVALS: readonly Rival[] = [
  {
    name: "another reviewer's rejection",
    ends: "REJECTED",
    mayFollow: false,
    async act(one, other) {
      const rejection = { ...approval(track, one.case), personId: track.rita, decision: "REJECTED" } as const;
      return (await recordDecision(rejection, decisionDeps(track, other))).kind === "recorded";
    },
  },
  {
    name: "its expiry",
    ends: "EXPIRED",
    mayFollow: false,
    async act(one, other, dice, holds) {
      track.advance(1_000);
      holds();
      await idle(dice(6));
      return (await other.expire({ ref: one.case.ref, writer: track.rig.deps.writer })).kind === "expired";
    },
  },
  {
    name: "its withdrawal by the agent",
    ends: "CANCELLED",
    mayFollow: true,
    async act({ case: { ref }, item }, other) {
      const actor = { kind: "agent", id: item.agentId } as const;
      return (await other.withdraw({ ref, actor })).kind === "withdrawn";
    },
  },
  {
    name: "another reviewer's edit",
    ends: "SUCCEEDED",
    mayFollow: false,
    edited: editOf,
    async act(one, other, dice) {
      const edit = { ...approval(track, one.case), personId: track.rita, argumentsText: editOf(one.item) };
      await idle(dice(3));
      return (await recordDecision(edit, decisionDeps(track, other))).kind === "recorded";
    },
  },
];

describe("an approval, against", () => {
  test.each(RIVALS)("$name", async (rival) => {
    const dice = createDice(`an approval: ${rival.name}`);
    const reviewForMs = (round: number) => (rival.ends === "EXPIRED" ? (round + 1) * 1_000 : HOUR_MS);
    const waiting = await openCases(track, await makeItems(track, ROUNDS), reviewForMs);
    const tally = { otherFirst: 0, oursFirst: 0 };
    for (const [round, one] of waiting.entries()) {
      const { approved, acted, seen } = await decideAgainst(rival, one, round, dice);
      if (seen) expect(approved, "an approval after the other was promised to hold").toBe(false);
      if (!rival.mayFollow) expect([approved, acted]).toContain(false);
      await driveCase(
        one.case.ref,
        gateway(track, async () => undefined),
      );
      const state = await stateOf(track, one.case);
      const runs = runsOf(track, one.item.argumentsText);
      const editedRuns = rival.edited === undefined ? 0 : runsOf(track, rival.edited(one.item));
      if (acted || !approved) {
        expect([state, runs, editedRuns]).toEqual([rival.ends, 0, rival.edited === undefined ? 0 : 1]);
      } else {
        expect([state, runs, editedRuns]).toEqual(["SUCCEEDED", 1, 0]);
      }
      tally.otherFirst += approved ? 0 : 1;
      tally.oursFirst += approved ? 1 : 0;
    }
    expectBothWays(tally);
    expect(track.problems()).toEqual([]);
  });
});

/** One approval and its rival at once; an approval wakes the engine, which runs the call. */
async function decideAgainst(rival: Rival, one: Waiting, round: number, dice: Dice) {
  const outcome = { approved: false, acted: false, seen: false };
  let held = false;
  const driven: Promise<void>[] = [];
  const drive = async () =>
    driveCase(
      one.case.ref,
      gateway(track, () => idle(dice(6))),
    );
  const store: Store = {
    ...track.rig.store,
    async recordDecision(params) {
      await idle(dice(4));
      outcome.seen = held || outcome.acted;
      return track.rig.store.recordDecision(params);
    },
  };
  const engine = { wake: () => void driven.push(drive()) };
  const decision = approval(track, one.case);
  const ours = async () => {
    const shown = dice(2) === 0 ? decision : { ...decision, digestShown: null };
    outcome.approved =
      (await recordDecision(shown, decisionDeps(track, store, { engine }))).kind === "recorded";
  };
  const others = async () => {
    outcome.acted = await rival.act(one, track.otherOf(round), dice, () => {
      held = true;
    });
  };
  await interleave(dice, others, ours);
  await Promise.all(driven);
  return outcome;
}

test("the ledger of all these races verifies when everything is closed", async () => {
  await track.finish();
  expect(track.problems()).toEqual([]);
});
