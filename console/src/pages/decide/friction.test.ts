import { describe, expect, test } from "vitest";
import { frictionOf, valueThatMatters } from "./friction.ts";

const ofScore = (risk_score: number | null, reversible = true) =>
  frictionOf({ case: { risk_score }, manifest: { class: "write", reversible, data: [], confirmed: false } });

describe("friction", () => {
  test.each([
    [0, "one"],
    [79, "one"],
    [80, "two"],
    [89, "two"],
    [90, "typed"],
    [100, "typed"],
    [null, "two"],
  ] as const)("of a score of %s is %s", (score, expected) => {
    expect(ofScore(score)).toBe(expected);
  });

  test("is the greatest for what cannot be taken back, or what nobody can describe", () => {
    expect(ofScore(5, false)).toBe("typed");
    expect(frictionOf({ case: { risk_score: 5 }, manifest: null })).toBe("typed");
  });
});

describe("the value that matters", () => {
  const call = (factors: readonly object[]) => ({ case: { tool: "pay" }, assessment: { factors } });

  test("is what the weightiest factor points at", () => {
    const factors = [
      { id: "a", weight: 40, evidence: "/arguments/note" },
      { id: "b", weight: 90, evidence: "/arguments/who/iban" },
      { id: "c", weight: 95, evidence: "/name" },
    ];
    const text = '{"note":"x","who":{"iban":"DE12"}}';
    expect(valueThatMatters(call(factors), text)).toEqual({ argument: "who/iban", value: "DE12" });
  });

  test("is named like an amount or a recipient, or is the first that can be typed", () => {
    expect(valueThatMatters(call([]), '{"note":"x","amount":45.0}').value).toBe("45.0");
    expect(valueThatMatters(call([]), '{"note":"x","user_id":"BEN-1"}').value).toBe("BEN-1");
    expect(valueThatMatters(call([]), '{"deep":{},"note":"x"}').value).toBe("x");
  });

  test("is the tool's name where no argument can be typed", () => {
    for (const text of [
      "{}",
      null,
      `{"a":"${"x".repeat(200)}"}`,
      '{"a":"\\u202e"}',
      '{"a":true}',
      '{"a":""}',
    ]) {
      expect(valueThatMatters(call([]), text)).toEqual({ argument: null, value: "pay" });
    }
  });
});
