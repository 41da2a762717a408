import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { launchGateway } from "../servers/gateway-process.ts";
import type { CrashOrder } from "./crash-order.ts";
import { createLaboratory, type Laboratory } from "./laboratory.ts";
import {
  expectNothingForgotten,
  expectRunsAtMostOnce,
  newStory,
  type Story,
  type StoryKind,
  tell,
  tellWhileItLives,
} from "./story.ts";

/** Generous: a loaded machine starts some sixty gateways in it. */
const LANE_TIMEOUT_MS = 400_000;

let lab: Laboratory;

beforeEach(() => {
  lab = createLaboratory();
});

afterEach(async () => {
  await lab.dispose();
});

interface Point {
  /** `before commit case.claimed` and the like. */
  readonly name: string;
  readonly stories: readonly Story[];
}

/**
 * Kills the gateway at each step of these stories in turn, on one data folder: the gateway that is started after one
 * kill is the one that the next kill hits, so every story must also outlive all the kills that follow it.
 */
async function killAtEveryStep(kinds: readonly StoryKind[]): Promise<readonly Point[]> {
  await lab.start();
  const points: Point[] = [];
  for (let step = 1; ; step += 1) {
    for (const when of ["before", "after"] as const) {
      const name = `${when}-${step}`;
      const stories = kinds.map((kind) => newStory(kind, `${kind}-${name}`));
      const steps = await killAt({ id: name, signal: "SIGKILL", when, step }, stories);
      const reached = steps.length >= step;
      points.push({ name: reached ? `${when} ${steps.at(-1)}` : "after the end", stories });
      await expectToHaveSurvived(points);
      if (!reached) return points;
    }
  }
}

/** @returns names of the steps up to the kill */
async function killAt(order: CrashOrder, stories: readonly Story[]): Promise<readonly string[]> {
  lab.order(order);
  for (const story of stories) {
    if (!(await tellWhileItLives(story, lab))) break;
  }
  const steps = lab.withdrawOrder();
  await lab.kill();
  await lab.verifyLedger();
  await lab.start();
  return steps;
}

async function expectToHaveSurvived(points: readonly Point[]): Promise<void> {
  const latest = points.at(-1);
  try {
    for (const story of latest?.stories ?? []) await expectNothingForgotten(story, lab);
    for (const story of latest?.stories ?? []) await tell(story, lab);
    await expectAllToStand(points);
  } catch (cause) {
    throw new Error(`killed ${latest?.name}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

async function expectAllToStand(points: readonly Point[]): Promise<void> {
  const calls = lab.calls();
  for (const story of points.flatMap((point) => point.stories)) {
    await expectNothingForgotten(story, lab);
    expectRunsAtMostOnce(story, calls);
  }
}

/** kill -9 twice more, each time with the whole past to answer for. */
async function expectToOutliveTwoMoreRestarts(points: readonly Point[]): Promise<void> {
  for (let restart = 0; restart < 2; restart += 1) {
    await lab.kill();
    await lab.start();
    await expectAllToStand(points);
  }
  await lab.kill();
  await lab.verifyLedger();
}

/** How the story of this kind ended at the point of this name, and how often it ran. */
function fate(points: readonly Point[], name: string, kind: StoryKind) {
  const story = points
    .filter((point) => point.name === name)
    .flatMap((point) => point.stories)
    .find((s) => s.kind === kind);
  const runs = lab.calls().filter((call) => call.arguments === JSON.stringify({ text: story?.name })).length;
  return { state: story?.state, runs };
}

describe("a gateway that is killed at any durable step", () => {
  test(
    "runs an approved call at most once, and forgets nothing that it said",
    async () => {
      const points = await killAtEveryStep(["approved"]);
      const names = points.map((point) => point.name);
      expect(names).toEqual(
        expect.arrayContaining([
          "before commit case.opened case.review_requested",
          "after commit case.opened case.review_requested",
          "before commit case.authorized",
          "after commit case.authorized",
          "before commit case.claimed",
          "after commit case.claimed",
          "before dispatch write_thing",
          "after dispatch write_thing",
          "before commit case.succeeded",
          "after commit case.succeeded",
        ]),
      );
      expect(fate(points, "before commit case.claimed", "approved")).toEqual({ state: "SUCCEEDED", runs: 1 });
      // Nobody who reads the database afterwards can tell the next four apart.
      expect(fate(points, "after commit case.claimed", "approved")).toEqual({ state: "UNKNOWN", runs: 0 });
      expect(fate(points, "before dispatch write_thing", "approved")).toEqual({ state: "UNKNOWN", runs: 0 });
      expect(fate(points, "after dispatch write_thing", "approved")).toEqual({ state: "UNKNOWN", runs: 1 });
      expect(fate(points, "before commit case.succeeded", "approved")).toEqual({ state: "UNKNOWN", runs: 1 });
      expect(fate(points, "after commit case.succeeded", "approved")).toEqual({
        state: "SUCCEEDED",
        runs: 1,
      });
      await expectToOutliveTwoMoreRestarts(points);
    },
    LANE_TIMEOUT_MS,
  );

  test(
    "runs each attempt of a live call at most once, and an answered one stays answered",
    async () => {
      const points = await killAtEveryStep(["live"]);
      expect(points.map((point) => point.name)).toEqual(
        expect.arrayContaining([
          "before commit case.opened case.authorized case.claimed",
          "after commit case.opened case.authorized case.claimed",
          "before dispatch schema_thing",
          "after dispatch schema_thing",
          "before commit case.succeeded",
          "after commit case.succeeded",
        ]),
      );
      expect(fate(points, "before dispatch schema_thing", "live")).toEqual({ state: "UNKNOWN", runs: 0 });
      expect(fate(points, "after dispatch schema_thing", "live")).toEqual({ state: "UNKNOWN", runs: 1 });
      await expectToOutliveTwoMoreRestarts(points);
    },
    LANE_TIMEOUT_MS,
  );

  test.each([
    ["rejected", "commit case.rejected"],
    ["withdrawn", "commit case.cancelled"],
  ] as const)(
    "never runs a call that was %s",
    async (kind, step) => {
      const points = await killAtEveryStep([kind]);
      expect(points.map((point) => point.name)).toEqual(
        expect.arrayContaining([`before ${step}`, `after ${step}`]),
      );
      await expectToOutliveTwoMoreRestarts(points);
    },
    LANE_TIMEOUT_MS,
  );
});

describe("a first start that is killed before any of its commits", () => {
  test(
    "leaves a data folder on which the next start succeeds",
    async () => {
      const killed: string[] = [];
      for (let step = 1; ; step += 1) {
        lab.order({ id: `start-${step}`, signal: "SIGKILL", when: "before", step });
        const gateway = launchGateway(lab.launch);
        await Promise.race([gateway.ready, gateway.exited]).catch(() => undefined);
        const steps = lab.withdrawOrder();
        gateway.signal("SIGKILL");
        await gateway.exited;
        if (steps.length < step) break;
        killed.push(steps.at(-1) ?? "");
        await lab.start();
        const story = newStory("live", `start-${step}`);
        await tell(story, lab);
        await lab.dispose();
        lab = createLaboratory();
      }
      expect(killed).toContain("commit writer.started");
      expect(killed.length).toBeGreaterThanOrEqual(4);
    },
    LANE_TIMEOUT_MS,
  );
});
