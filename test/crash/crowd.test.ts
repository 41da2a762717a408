import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CrashOrder } from "./crash-order.ts";
import { LANE_TIMEOUT_MS } from "./kill-at-every-step.ts";
import { createLaboratory, HELD_TOOL, type Laboratory } from "./laboratory.ts";
import {
  expectNothingForgotten,
  expectRunsAtMostOnce,
  newStory,
  type Story,
  tell,
  tellWhileItLives,
} from "./story.ts";

/** Another seed hits other steps; the same seed hits the same. */
const SEED = 20_261_121;
const ROUNDS = 4;

let lab: Laboratory;

beforeEach(() => {
  lab = createLaboratory();
});

afterEach(async () => {
  await lab.dispose();
});

/** Numbers from 0 to 1 (mulberry32), so that a failure can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How many of a crowd a human approves. */
const APPROVED = 8;

/** Twenty calls of every kind. */
function crowd(round: string): readonly Story[] {
  const kinds = ["live", "approved", "rejected", "approved", "withdrawn"] as const;
  return Array.from({ length: 20 }, (_, index) =>
    newStory(kinds[index % kinds.length] ?? "live", `${round}-${index}`),
  );
}

async function expectAllToStand(stories: readonly Story[]): Promise<void> {
  const calls = lab.calls();
  for (const story of stories) {
    await expectNothingForgotten(story, lab);
    expectRunsAtMostOnce(story, calls);
  }
}

/** How many steps the stories take when nobody disturbs them. */
async function countSteps(stories: readonly Story[]): Promise<number> {
  lab.order({ id: "count", signal: "SIGKILL", when: "before", step: Number.MAX_SAFE_INTEGER });
  await Promise.all(stories.map((story) => tell(story, lab)));
  return lab.withdrawOrder().length;
}

/** Any step in one round; in the next one of the dispatches, the smallest target and the one that matters most. */
function randomOrder(round: number, total: number, random: () => number): CrashOrder {
  const when = random() < 0.5 ? "before" : "after";
  const at = random();
  const order = { id: `round-${round}`, signal: "SIGKILL", when } as const;
  if (round % 2 === 0) return { ...order, step: 1 + Math.floor(at * total * 0.8) };
  return { ...order, match: `dispatch ${HELD_TOOL}`, step: 1 + Math.floor(at * APPROVED) };
}

describe.runIf(process.platform === "linux")("a gateway that is killed with twenty calls in flight", () => {
  test(
    "runs none of them twice, and forgets nothing that it said",
    async () => {
      const random = seeded(SEED);
      await lab.start();
      const all = [...crowd("undisturbed")];
      const total = await countSteps(all);
      let hits = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const order = randomOrder(round, total, random);
        const stories = crowd(`round-${round}`);
        all.push(...stories);
        lab.order(order);
        await Promise.all(stories.map((story) => tellWhileItLives(story, lab)));
        const steps = lab.withdrawOrder().filter((step) => order.match === undefined || step === order.match);
        if (steps.length === order.step) hits += 1;
        await lab.kill();
        await Promise.all([lab.verifyLedger(), lab.start()]);
        await expectAllToStand(stories);
        await Promise.all(stories.map((story) => tell(story, lab)));
        await expectAllToStand(all);
      }
      // How many commits a crowd needs depends on how it groups; a round that needed fewer was killed at its end.
      expect(hits).toBeGreaterThanOrEqual(ROUNDS / 2);
      await lab.kill();
      await lab.start();
      await expectAllToStand(all);
      await lab.kill();
      await lab.verifyLedger();
    },
    LANE_TIMEOUT_MS,
  );
});
