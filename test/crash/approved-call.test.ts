import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  expectToOutliveTwoMoreRestarts,
  fate,
  killAtEveryStep,
  LANE_TIMEOUT_MS,
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
        expect(fate(points, "before commit case.claimed", lab)).toEqual({ state: "SUCCEEDED", runs: 1 });
        // Nobody who reads the database afterwards can tell the next four apart.
        expect(fate(points, "after commit case.claimed", lab)).toEqual({ state: "UNKNOWN", runs: 0 });
        expect(fate(points, "before dispatch write_thing", lab)).toEqual({ state: "UNKNOWN", runs: 0 });
        expect(fate(points, "after dispatch write_thing", lab)).toEqual({ state: "UNKNOWN", runs: 1 });
        expect(fate(points, "before commit case.succeeded", lab)).toEqual({ state: "UNKNOWN", runs: 1 });
        expect(fate(points, "after commit case.succeeded", lab)).toEqual({ state: "SUCCEEDED", runs: 1 });
        await expectToOutliveTwoMoreRestarts(points, lab);
      },
      LANE_TIMEOUT_MS,
    );
  },
);
