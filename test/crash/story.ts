import { expect } from "vitest";
import type { RecordedCall } from "../servers/counting-upstream.ts";
import { HELD_TOOL, type Laboratory, LIVE_TOOL } from "./laboratory.ts";
import { GatewayGone, type ToolResult } from "./people.ts";

/** `live`: a call that runs at once. The others wait for a person and end as named, unless nobody can know. */
export type StoryKind = "live" | "approved" | "rejected" | "withdrawn";

/** One call, from the agent's request to its end, and all that its users were told on the way. */
export interface Story {
  readonly kind: StoryKind;
  /** Argument of the call; no two stories share it. */
  readonly name: string;
  /** How often the agent made the call: again only after it got no answer. */
  sent: number;
  /** The reference the agent was given. */
  ref: string | null;
  /** Somebody asked for the end of the story, and perhaps was not answered. */
  asked: boolean;
  /** The gateway answered that it stands. */
  acknowledged: boolean;
  /** The state that ended the story. */
  state: string | null;
  /** The tool's own answer, when the agent received one. */
  result: string | null;
}

/** Only ends a story that would never end; nothing is decided by it. */
const GUARD_MS = 90_000;

export function newStory(kind: StoryKind, name: string): Story {
  return { kind, name, sent: 0, ref: null, asked: false, acknowledged: false, state: null, result: null };
}

/** What the upstream answers to the tool of the story. */
const ANSWER: Readonly<Record<StoryKind, string>> = {
  live: '{"ok":true}',
  approved: `${HELD_TOOL} done`,
  rejected: `${HELD_TOOL} done`,
  withdrawn: `${HELD_TOOL} done`,
};
const ENDS_AS: Readonly<Record<StoryKind, string>> = {
  live: "SUCCEEDED",
  approved: "SUCCEEDED",
  rejected: "REJECTED",
  withdrawn: "CANCELLED",
};
/** Where an acknowledged decision may be found after a crash: on its way, or at an end that keeps it. */
const STANDS_IN: Readonly<Record<StoryKind, readonly string[]>> = {
  live: ["EXECUTING", "SUCCEEDED", "UNKNOWN"],
  approved: ["AUTHORIZED", "EXECUTING", "SUCCEEDED", "UNKNOWN"],
  rejected: ["REJECTED"],
  withdrawn: ["CANCELLED"],
};

/**
 * Goes on with the story from wherever its users stand, until the case has ended or nobody can know.
 * A request that got no answer is made again, as people and agents do.
 *
 * @throws GatewayGone when the gateway dies on the way; the story can be told on after a restart.
 */
export async function tell(story: Story, lab: Laboratory): Promise<void> {
  const guard = performance.now() + GUARD_MS;
  while (story.state === null) {
    if (performance.now() > guard) throw new Error(`${story.kind} ${story.name} came to no end`);
    if (story.ref === null) await makeCall(story, lab);
    else if (!story.acknowledged && story.kind !== "live") await askForTheEnd(story, story.ref, lab);
    else await awaitTheEnd(story, story.ref, lab);
  }
}

/** @returns whether the story could be told to its end; false when the gateway died. */
export async function tellWhileItLives(story: Story, lab: Laboratory): Promise<boolean> {
  try {
    await tell(story, lab);
    return true;
  } catch (error) {
    if (error instanceof GatewayGone) return false;
    throw error;
  }
}

/** The agent makes the call of the story. @throws GatewayGone */
export async function makeCall(story: Story, lab: Laboratory): Promise<void> {
  story.sent += 1;
  const tool = story.kind === "live" ? LIVE_TOOL : HELD_TOOL;
  const answer = await lab.agent().call(tool, { text: story.name }, { "test/attempt": story.sent });
  const about = answer._meta?.["atlas-gateway/case"];
  if (about === undefined) {
    end(story, "SUCCEEDED", textOf(answer));
    return;
  }
  if (about.ref === null) throw new Error(`the call of ${story.name} was refused: ${textOf(answer)}`);
  story.ref = about.ref;
  if (story.kind !== "live") expect(textOf(answer)).toContain(`PENDING REVIEW (Ref: ${about.ref})`);
}

async function askForTheEnd(story: Story, ref: string, lab: Laboratory): Promise<void> {
  const repeated = story.asked;
  story.asked = true;
  if (story.kind === "withdrawn") {
    const { structuredContent } = await lab.agent().call("withdraw_request", { ref });
    if (!repeated) expect(structuredContent).toMatchObject({ withdrawn: true });
    expect(structuredContent).toMatchObject({ state: "CANCELLED" });
  } else {
    const decision = story.kind === "approved" ? "APPROVED" : "REJECTED";
    const { status, text } = await lab.reviewer().decide(ref, decision);
    expect({ status, body: JSON.parse(text) }).toEqual({
      status: 200,
      body: { status: "Signal Sent", decision },
    });
  }
  story.acknowledged = true;
}

async function awaitTheEnd(story: Story, ref: string, lab: Laboratory): Promise<void> {
  // Short, because a case that is UNKNOWN already is no news, and the answer would wait for some.
  const answer = await lab.agent().call("check_status", { ref, wait_seconds: 1 });
  const state = stateIn(answer);
  if (state === ENDS_AS[story.kind]) end(story, state, keptResult(story, answer));
  else if (state === "UNKNOWN") end(story, state, null);
  else if (state !== "AUTHORIZED" && state !== "EXECUTING") {
    throw new Error(`${story.kind} ${story.name} came to ${state}: ${textOf(answer)}`);
  }
}

function end(story: Story, state: string, result: string | null): void {
  story.state = state;
  story.result = result;
  if (result !== null) expect(result).toBe(ANSWER[story.kind]);
}

/** The tool's own answer in an answer of `check_status`; that of a live call is not kept. */
function keptResult(story: Story, answer: ToolResult): string | null {
  return story.kind === "approved" ? (answer.content.at(-1)?.text ?? "") : null;
}

function stateIn(answer: ToolResult): string {
  const state = answer.structuredContent?.["state"];
  if (typeof state !== "string") throw new Error(`check_status gave no state: ${textOf(answer)}`);
  return state;
}

function argumentsOf(story: Story): string {
  return JSON.stringify({ text: story.name });
}

function textOf(answer: ToolResult): string {
  return answer.content.map((block) => block.text).join(" ");
}

/** Asserts that the gateway still knows everything that it told the story's users. */
export async function expectNothingForgotten(story: Story, lab: Laboratory): Promise<void> {
  if (story.ref === null) {
    // An answered live call gave no reference; its case is found as a person would, by the arguments.
    if (story.state !== null)
      expect(await lab.reviewer().statesOf(argumentsOf(story))).toContain(story.state);
    return;
  }
  const answer = await lab.agent().call("check_status", { ref: story.ref });
  const state = stateIn(answer);
  if (story.state !== null) expect({ story, state }).toMatchObject({ state: story.state });
  else if (story.acknowledged) expect(STANDS_IN[story.kind], `${story.name} is ${state}`).toContain(state);
  else if (story.kind !== "live") {
    const possible = story.asked ? ["AWAITING_REVIEW", ...STANDS_IN[story.kind]] : ["AWAITING_REVIEW"];
    expect(possible, `${story.name} is ${state}`).toContain(state);
  }
  if (story.result !== null && story.kind === "approved")
    expect(answer.content.at(-1)?.text).toBe(story.result);
}

/** Asserts, by what reached the upstream, that no attempt of an agent ran twice and that what must have run did. */
export function expectRunsAtMostOnce(story: Story, calls: readonly RecordedCall[]): void {
  const own = runsOf(story, calls);
  const attempts = own.map((call) => call.meta);
  expect(new Set(attempts).size, `${story.kind} ${story.name} ran twice: ${attempts.join(" ")}`).toBe(
    own.length,
  );
  // A live call that ran but was not answered may be made again by its agent; a held one never is.
  if (story.kind !== "live")
    expect(own.length, `${story.kind} ${story.name} ran twice`).toBeLessThanOrEqual(1);
  if (story.state === "SUCCEEDED") expect(own.length, `${story.name} never ran`).toBeGreaterThanOrEqual(1);
  if (story.state === "REJECTED" || story.state === "CANCELLED")
    expect(own.length, `${story.name} ran`).toBe(0);
}

/** What reached the upstream of this story. */
export function runsOf(story: Story, calls: readonly RecordedCall[]): readonly RecordedCall[] {
  return calls.filter((call) => call.arguments === argumentsOf(story));
}
