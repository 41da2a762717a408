import { describe, expect, test } from "vitest";
import { launchGateway } from "../servers/gateway-process.ts";
import { LANE_TIMEOUT_MS } from "./kill-at-every-step.ts";
import { createLaboratory } from "./laboratory.ts";

describe.runIf(process.platform === "linux")("a first start that is killed before any of its commits", () => {
  test(
    "leaves a data folder on which the next start succeeds",
    async () => {
      const killed: string[] = [];
      for (let step = 1; ; step += 1) {
        const last = await killFirstStartBefore(step);
        if (last === null) break;
        killed.push(last);
      }
      expect(killed).toContain("commit writer.started");
      expect(killed.length).toBeGreaterThanOrEqual(4);
    },
    LANE_TIMEOUT_MS,
  );
});

/** @returns name of the step; null when the start has fewer steps than that */
async function killFirstStartBefore(step: number): Promise<string | null> {
  const fresh = createLaboratory();
  try {
    fresh.order({ id: `start-${step}`, signal: "SIGKILL", when: "before", step });
    const gateway = launchGateway(fresh.launch);
    const started = await Promise.race([gateway.ready.then(() => true), gateway.exited.then(() => false)]);
    const steps = fresh.withdrawOrder();
    gateway.signal("SIGKILL");
    await gateway.exited;
    if (started) return null;
    await fresh.start();
    // The credentials that are in the file are the ones that are in the database.
    expect((await fresh.agent().call("check_status", {})).isError).toBeUndefined();
    expect(await fresh.reviewer().statesOf("{}")).toEqual([]);
    await fresh.verifyLedger();
    return steps.at(-1) ?? "";
  } finally {
    await fresh.dispose();
  }
}
