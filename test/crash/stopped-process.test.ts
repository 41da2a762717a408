import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLaboratory, type Laboratory, LIVE_TOOL, SLOW_TOOL } from "./laboratory.ts";
import { processState } from "./processes.ts";
import { expectNothingForgotten, expectRunsAtMostOnce, newStory, runsOf, tell } from "./story.ts";
import { until } from "./until.ts";

/** Past every deadline of a claim: the time to dispatch, the upstream's deadline and the margin for clocks. */
const SLEPT_MS = 10 * 60_000;
const STOP = { signal: "SIGSTOP", when: "after", step: 1, sleptMs: SLEPT_MS } as const;
const TIMEOUT_MS = 200_000;

let lab: Laboratory;

beforeEach(async () => {
  lab = createLaboratory();
  await lab.start();
});

afterEach(async () => {
  await lab.dispose();
});

async function untilStopped(): Promise<void> {
  const { pid } = lab.gateway();
  await until("the gateway is stopped", () => processState(pid) === "T");
}

describe.runIf(process.platform === "linux")("a gateway that is stopped and goes on much later", () => {
  test(
    "sends nothing under the claim it slept on, gives it back and runs the approved call once",
    async () => {
      const story = newStory("approved", "slept-before-dispatch");
      lab.order({ ...STOP, id: "claim", match: "commit case.claimed" });
      const told = tell(story, lab);
      await untilStopped();
      expect(lab.steps().at(-1)).toBe("commit case.claimed");
      expect(lab.calls()).toEqual([]);
      lab.gateway().signal("SIGCONT");
      await told;
      const steps = lab.withdrawOrder().filter((step) => /claimed|released|dispatch|succeeded/.test(step));
      expect(steps).toEqual([
        "commit case.claimed",
        "commit case.released",
        "commit case.claimed",
        "dispatch write_thing",
        "commit case.succeeded",
      ]);
      expect(story.state).toBe("SUCCEEDED");
      expectRunsAtMostOnce(story, lab.calls());
      await lab.verifyLedger();
    },
    TIMEOUT_MS,
  );

  test(
    "tells the agent that a live call it slept on was not sent",
    async () => {
      lab.order({ ...STOP, id: "live", match: "commit case.opened case.authorized case.claimed" });
      const call = lab.agent().call(LIVE_TOOL, {});
      await untilStopped();
      lab.gateway().signal("SIGCONT");
      const answer = await call;
      expect(answer.isError).toBe(true);
      expect(answer.content[0]?.text).toContain("[dispatch.late]");
      expect(lab.withdrawOrder().filter((step) => step.startsWith("dispatch"))).toEqual([]);
      expect(lab.calls()).toEqual([]);
      await lab.verifyLedger();
    },
    TIMEOUT_MS,
  );

  test.each([
    ["was about to send", "before"],
    ["had sent", "after"],
  ] as const)(
    "does not run the approved call again that it %s when it fell asleep",
    async (_what, when) => {
      const story = newStory("approved", `slept-${when}-dispatch`);
      lab.order({ ...STOP, id: "sent", when, match: "dispatch write_thing" });
      const told = tell(story, lab);
      await untilStopped();
      lab.gateway().signal("SIGCONT");
      await told;
      await until("the upstream has run the call", () => runsOf(story, lab.calls()).length > 0);
      // By its clocks the claim is long overdue: whoever records first, the outcome or the reconciler, has the word.
      expect(["SUCCEEDED", "UNKNOWN"]).toContain(story.state);
      for (let restart = 0; restart < 2; restart += 1) {
        await lab.kill();
        await lab.start();
        await expectNothingForgotten(story, lab);
      }
      expect(runsOf(story, lab.calls())).toHaveLength(1);
      await lab.verifyLedger();
    },
    TIMEOUT_MS,
  );
});

describe.runIf(process.platform === "linux")("the upstream processes of a gateway that is killed", () => {
  test(
    "end by themselves, even in the middle of a call",
    async () => {
      const call = lab.agent().call(SLOW_TOOL, {});
      // Handled here already, because the gateway dies before anybody waits for it.
      const unanswered = call.then(
        () => "answered",
        () => "unanswered",
      );
      await until("the upstream works on the call", () => lab.calls().length === 1);
      // One that keeps the catalog, and the agent's own.
      expect(lab.upstreamPids()).toHaveLength(2);
      const gateway = lab.gateway();
      gateway.signal("SIGKILL");
      expect(await gateway.exited).toEqual({ code: null, signal: "SIGKILL" });
      await until("its upstreams end", () => lab.upstreamPids().length === 0);
      expect(await unanswered).toBe("unanswered");
    },
    TIMEOUT_MS,
  );
});
