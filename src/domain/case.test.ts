import { describe, expect, test } from "vitest";
import { CASE_STATES, findTransition, isTerminal, TERMINAL_STATES, TRANSITIONS } from "./case.ts";

describe("the transition table", () => {
  test("nothing leads out of a terminal state", () => {
    expect(TRANSITIONS.filter((t) => t.from !== null && isTerminal(t.from))).toEqual([]);
  });

  test("every state but the first can be reached, and every state that is not terminal can be left", () => {
    for (const state of CASE_STATES) {
      expect(
        TRANSITIONS.some((t) => t.to === state),
        `into ${state}`,
      ).toBe(true);
      const leaves = TRANSITIONS.some((t) => t.from === state && t.to !== state);
      expect(leaves, `out of ${state}`).toBe(!isTerminal(state));
    }
  });

  test("only the claim leads to EXECUTING, and only from AUTHORIZED", () => {
    expect(TRANSITIONS.filter((t) => t.to === "EXECUTING")).toEqual([
      { name: "case.claimed", from: "AUTHORIZED", to: "EXECUTING", actors: ["dispatcher"] },
    ]);
  });

  test("an agent can only open and withdraw", () => {
    const names = TRANSITIONS.filter((t) => t.actors.includes("agent")).map((t) => t.name);
    expect(new Set(names)).toEqual(new Set(["case.opened", "case.cancelled"]));
  });

  test("only a reviewer leads from UNKNOWN or from AWAITING_REVIEW to a run", () => {
    for (const from of ["UNKNOWN", "AWAITING_REVIEW"] as const) {
      const rows = TRANSITIONS.filter((t) => t.from === from && t.to === "AUTHORIZED");
      expect(rows.map((t) => t.actors)).toEqual([["reviewer"]]);
    }
  });

  test("a name, a state and an actor give one row, and what is not in the table is undefined", () => {
    expect(findTransition("case.claimed", "AUTHORIZED", "dispatcher")?.to).toBe("EXECUTING");
    expect(findTransition("case.claimed", "AWAITING_REVIEW", "dispatcher")).toBeUndefined();
    expect(findTransition("case.authorized", "AWAITING_REVIEW", "agent")).toBeUndefined();
    expect(TERMINAL_STATES).toHaveLength(6);
  });
});
