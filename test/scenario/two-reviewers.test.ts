import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PersonId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/governance/ports.ts";
import { recordDecision } from "../../src/governance/record-decision.ts";
import {
  approval,
  createDice,
  decisionDeps,
  expectBothWays,
  idle,
  interleave,
  makeItems,
  openCases,
  openTrack,
  type Track,
} from "./racetrack.ts";

const ROUNDS = 100;
const HOUR_MS = 3_600_000;

let track: Track;
beforeAll(async () => {
  track = await openTrack();
});
afterAll(async () => {
  await track.finish();
  rmSync(track.rig.dir, { recursive: true, force: true });
});

test("of two reviewers who take a case at once, one has it, and only that one decides", async () => {
  const dice = createDice("two reviewers");
  const waiting = await openCases(track, await makeItems(track, ROUNDS), () => HOUR_MS);
  const tally = { otherFirst: 0, oursFirst: 0 };
  for (const [round, one] of waiting.entries()) {
    const { ref } = one.case;
    const taken: PersonId[] = [];
    const taking = (store: Store, personId: PersonId) => async () => {
      await idle(dice(4));
      const params = { ref, personId, takeForMs: HOUR_MS, takeOver: false, singleOperator: false };
      if ((await store.takeReview(params)).kind === "taken") taken.push(personId);
    };
    const { rita, rig } = track;
    await interleave(dice, taking(track.otherOf(round), rita), taking(rig.store, rig.reviewer));
    expect(taken).toHaveLength(1);
    const [holder] = taken;
    const loser = holder === rita ? rig.reviewer : rita;
    const deciding = (personId: PersonId) =>
      recordDecision({ ...approval(track, one.case), personId }, decisionDeps(track, rig.store));
    expect(await deciding(loser)).toMatchObject({ kind: "taken_by_another", case: { takenBy: holder } });
    expect(await deciding(holder ?? loser)).toMatchObject({ kind: "recorded", case: { decidedBy: holder } });
    tally[holder === rita ? "otherFirst" : "oursFirst"] += 1;
  }
  expectBothWays(tally);
  expect(track.problems()).toEqual([]);
});
