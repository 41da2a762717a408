import { expect } from "vitest";
import type { Laboratory } from "./laboratory.ts";
import {
  expectNothingForgotten,
  expectRunsAtMostOnce,
  makeCall,
  newStory,
  runsOf,
  type Story,
  type StoryKind,
  tell,
  tellWhileItLives,
} from "./story.ts";

/** Generous: a loaded machine starts some twenty gateways in it. */
export const LANE_TIMEOUT_MS = 400_000;

/** One kill, and the story it fell into. */
export interface Point {
  /** `before commit case.claimed` and the like. */
  readonly name: string;
  readonly story: Story;
}

export interface KillAtEveryStepParams {
  readonly kind: StoryKind;
  /** The call is made before the first kill: the steps of opening a case are those of every held call. */
  readonly opened?: boolean;
}

/**
 * Kills the gateway before and after each step of a story in turn, on one data folder: the gateway that is started
 * after one kill is the one that the next kill hits, so every story must also outlive all the kills that follow it.
 */
export async function killAtEveryStep(
  params: KillAtEveryStepParams,
  lab: Laboratory,
): Promise<readonly Point[]> {
  await lab.start();
  const points: Point[] = [];
  for (const { name, occurrence } of await learnSteps(params, lab)) {
    for (const when of ["before", "after"] as const) {
      const id = `${when} ${name}${occurrence > 1 ? ` #${occurrence}` : ""}`;
      const story = await begin(params, id, lab);
      lab.order({ id, signal: "SIGKILL", when, match: name, step: occurrence });
      await tellWhileItLives(story, lab);
      const reached = lab.withdrawOrder().filter((step) => step === name).length >= occurrence;
      // A commit that writes nothing may have joined another one this time; then the kill comes after the end.
      points.push({ name: reached ? id : `after the end, not ${id}`, story });
      await expectToSurviveAKill(points, lab);
    }
  }
  return points;
}

/** The steps of an undisturbed story, and which one of its name each is. */
async function learnSteps(params: KillAtEveryStepParams, lab: Laboratory) {
  const story = await begin(params, "undisturbed", lab);
  lab.order({ id: "learn", signal: "SIGKILL", when: "before", step: Number.MAX_SAFE_INTEGER });
  await tell(story, lab);
  const seen = new Map<string, number>();
  const steps = lab.withdrawOrder().map((name) => {
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    return { name, occurrence };
  });
  // The head is signed when a timer says so, in one story and not in the next; its kill has a test of its own.
  return steps.filter((step) => step.name !== "commit head");
}

async function begin(params: KillAtEveryStepParams, id: string, lab: Laboratory): Promise<Story> {
  const story = newStory(params.kind, `${params.kind}, ${id}`);
  if (params.opened === true) await makeCall(story, lab);
  return story;
}

async function expectToSurviveAKill(points: readonly Point[], lab: Laboratory): Promise<void> {
  const latest = points.at(-1);
  if (latest === undefined) return;
  try {
    await lab.kill();
    const verified = lab.verifyLedger();
    await Promise.all([verified, lab.start()]);
    await expectNothingForgotten(latest.story, lab);
    await tell(latest.story, lab);
    await expectAllToStand(points, lab);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`killed ${latest.name}: ${why}`, { cause });
  }
}

async function expectAllToStand(points: readonly Point[], lab: Laboratory): Promise<void> {
  const calls = lab.calls();
  for (const { story } of points) {
    await expectNothingForgotten(story, lab);
    expectRunsAtMostOnce(story, calls);
  }
}

/** kill -9 twice more, each time with the whole past to answer for. */
export async function expectToOutliveTwoMoreRestarts(
  points: readonly Point[],
  lab: Laboratory,
): Promise<void> {
  for (let restart = 0; restart < 2; restart += 1) {
    await lab.kill();
    await lab.start();
    await expectAllToStand(points, lab);
  }
  await lab.kill();
  // Every start but the first found a chain that a kill had cut off, and said so.
  expect(await lab.verifyLedger()).toMatchObject({ gaps: lab.starts() - 1 });
}

/** Points whose story ended as UNKNOWN. */
export function unknowable(points: readonly Point[]): readonly string[] {
  return points.filter(({ story }) => story.state === "UNKNOWN").map(({ name }) => name);
}

/** How often the call ran whose story was hit at the point of this name. */
export function runs(points: readonly Point[], name: string, lab: Laboratory): number | null {
  const story = points.find((point) => point.name === name)?.story;
  return story === undefined ? null : runsOf(story, lab.calls()).length;
}
