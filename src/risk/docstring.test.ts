import { describe, expect, it } from "vitest";
import { callOf } from "./calls.testing.ts";
import { actText } from "./docstring.ts";
import { createEmbeddedAssessor } from "./embedded.ts";

const DOCSTRING = `Get the details of an order.

Args:
    order_id: The order, such as "#1".
    force: Set to true to refresh.

Returns:
    Order: the details.

Raises:
    ValueError: If the order is not found.`;

describe("actText", () => {
  it("leaves out sections on arguments, results and errors", () => {
    expect(actText(DOCSTRING).trim()).toBe("Get the details of an order.");
  });

  it("keeps what follows a section", () => {
    expect(actText("Shows it.\n\nReturns:\n    x\n\nDeletes the original.")).toContain(
      "Deletes the original.",
    );
    expect(actText("Shows it.\nReturns:\n    x\nDeletes the original.")).toContain("Deletes the original.");
  });

  it("keeps a read a read, and an act behind a section an act", () => {
    const assessor = createEmbeddedAssessor({ threshold: 70 });
    const score = (description: string) =>
      assessor.assess(callOf({ name: "get_order", args: { order_id: "1" }, description })).risk_score;
    expect(score(DOCSTRING)).toBeLessThan(70);
    expect(
      score("Get an order. Args: order_id: the order. Returns: details. Raises: ValueError: if none."),
    ).toBeLessThan(70);
    expect(score(`${DOCSTRING}\n\nDeletes the order afterwards.`)).toBeGreaterThanOrEqual(70);
  });
});
