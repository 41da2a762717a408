import { expect, test } from "vitest";
import { checkClock, checkRuntime, clockOffsetMs } from "./machine.ts";

test.each([
  ["20.19.0", "problem"],
  ["22.17.1", "problem"],
  ["22.18.0", "ok"],
  ["24.0.0", "ok"],
])("Node %s is %s", (version, level) => {
  expect(checkRuntime(version).level).toBe(level);
});

test("the clock is wrong when it was moved, or is behind the newest event", () => {
  const hour = 3_600_000;
  expect(checkClock(clockOffsetMs(), null).level).toBe("ok");
  expect(checkClock(clockOffsetMs(), Date.now() - hour).level).toBe("ok");
  expect(checkClock(clockOffsetMs() - hour, null).sentence).toContain("was moved");
  expect(checkClock(clockOffsetMs(), Date.now() + hour).sentence).toContain("in the future");
});
