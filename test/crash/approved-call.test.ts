import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  expectToOutliveTwoMoreRestarts,
  killAtEveryStep,
  LANE_TIMEOUT_MS,
  runs,
  unknowable,
} from "./kill-at-every-step.ts";
import { createLaboratory, type Laboratory } from "./laboratory.ts";

let lab: Laboratory;

beforeEach(() => {
  lab = createLaboratory();
});

afterEach(async () => {
  await lab.dispose();
});

/** Steps that the gateway cannot do without; each is hit before and after. */
const STEPS = [
  "commit case.opened case.review_requested",
  "commit case.authorized",
  "commit case.claimed",
  "dispatch write_thing",
  "commit case.succeeded",
];

describe.runIf(process.platform === "linux")(
  "a gateway that is killed at any durable step of an approved call",
  () => {
    test(
      "runs the call at most once, and forgets nothing that it said",
      async () => {
        const points = await killAtEveryStep({ kind: "approved" }, lab);
        const names = points.map((point) => point.name);
        for (const step of STEPS)
          expect(names).toEqual(expect.arrayContaining([`before ${step}`, `after ${step}`]));
        // Nobody who reads the database after one of these can tell which it was; after any other the call runs.
        expect(unknowable(points)).toEqual([
          "after commit case.claimed",
          "before dispatch write_thing",
          "after dispatch write_thing",
          "before commit case.succeeded",
        ]);
        expect(runs(points, "after commit case.claimed", lab)).toBe(0);
        expect(runs(points, "before dispatch write_thing", lab)).toBe(0);
        expect(runs(points, "after dispatch write_thing", lab)).toBe(1);
        expect(runs(points, "before commit case.succeeded", lab)).toBe(1);
        await expectToOutliveTwoMoreRestarts(points, lab);
      },
      LANE_TIMEOUT_MS,
    );
  },
);
