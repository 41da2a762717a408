import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  expectToOutliveTwoMoreRestarts,
  killAtEveryStep,
  LANE_TIMEOUT_MS,
  runs,
  unknowable,
} from "./kill-at-every-step.ts";
import { createLaboratory, type Laboratory } from "./laboratory.ts";
import { expectNothingForgotten, newStory, tell, tellWhileItLives } from "./story.ts";

let lab: Laboratory;

beforeEach(() => {
  lab = createLaboratory();
});

afterEach(async () => {
  await lab.dispose();
});

describe.runIf(process.platform === "linux")("a gateway that is killed at any durable step", () => {
  test(
    "runs each attempt of a live call at most once, and an answered one stays answered",
    async () => {
      const points = await killAtEveryStep({ kind: "live" }, lab);
      const claim = "commit case.opened case.authorized case.claimed";
      const names = points.map((point) => point.name);
      for (const step of [claim, "dispatch schema_thing", "commit case.succeeded"]) {
        expect(names).toEqual(expect.arrayContaining([`before ${step}`, `after ${step}`]));
      }
      expect(unknowable(points)).toEqual([
        `after ${claim}`,
        "before dispatch schema_thing",
        "after dispatch schema_thing",
        "before commit case.succeeded",
      ]);
      expect(runs(points, "before dispatch schema_thing", lab)).toBe(0);
      expect(runs(points, "after dispatch schema_thing", lab)).toBe(1);
      await expectToOutliveTwoMoreRestarts(points, lab);
    },
    LANE_TIMEOUT_MS,
  );

  test.each([
    ["rejected", "commit case.rejected"],
    ["withdrawn", "commit case.cancelled"],
  ] as const)(
    "never runs a call that was %s",
    async (kind, step) => {
      const points = await killAtEveryStep({ kind, opened: true }, lab);
      expect(points.map((point) => point.name)).toEqual(
        expect.arrayContaining([`before ${step}`, `after ${step}`]),
      );
      await expectToOutliveTwoMoreRestarts(points, lab);
    },
    LANE_TIMEOUT_MS,
  );
});

describe.runIf(process.platform === "linux")(
  "a gateway that is killed while it signs the ledger's head",
  () => {
    test.each(["before", "after"] as const)(
      "leaves a ledger that verifies, %s the commit",
      async (when) => {
        const story = newStory("live", "signed");
        await lab.start();
        lab.order({ id: "head", signal: "SIGKILL", when, match: "commit head", step: 1 });
        await tellWhileItLives(story, lab);
        expect(await lab.gateway().exited).toEqual({ code: null, signal: "SIGKILL" });
        lab.withdrawOrder();
        await lab.kill();
        await Promise.all([lab.verifyLedger(), lab.start()]);
        await expectNothingForgotten(story, lab);
        await tell(story, lab);
      },
      LANE_TIMEOUT_MS,
    );
  },
);
