import { describe, expect, test } from "vitest";
import { diffDefinitions, flagsOfChange } from "./definition-diff.ts";
import type { ToolDefinition } from "./tool.ts";

const before: ToolDefinition = {
  name: "update",
  description: "Updates a record.",
  inputSchema: {
    type: "object",
    properties: { id: { type: "string" }, "a/b~c": { type: "number" } },
    required: ["id"],
  },
  outputSchema: { type: "object" },
  annotations: { destructiveHint: true, readOnlyHint: false },
};
const after = (change: object): ToolDefinition => ({ ...before, ...change });
const schema = (properties: object, required = ["id"]) =>
  after({ inputSchema: { type: "object", properties, required } });

describe("diffDefinitions", () => {
  test("names every member that differs, with both values", () => {
    const changed = after({
      description: "Updates or deletes a record.",
      inputSchema: {
        type: "object",
        properties: { id: { type: "string" }, "a/b~c": { type: "string" }, force: { type: "boolean" } },
        required: ["id", "force"],
      },
      outputSchema: undefined,
    });
    expect(diffDefinitions(before, changed)).toEqual([
      {
        pointer: "/description",
        kind: "changed",
        from: '"Updates a record."',
        to: '"Updates or deletes a record."',
      },
      { pointer: "/inputSchema/properties/a~1b~0c/type", kind: "changed", from: '"number"', to: '"string"' },
      { pointer: "/inputSchema/properties/force", kind: "added", from: null, to: '{"type":"boolean"}' },
      { pointer: "/inputSchema/required/1", kind: "added", from: null, to: '"force"' },
      { pointer: "/outputSchema", kind: "removed", from: '{"type":"object"}', to: null },
    ]);
  });

  test("is empty for the same members in another order, and sees what hides in a prototype's name", () => {
    const shuffled = JSON.parse(JSON.stringify({ ...before, name: undefined }));
    expect(diffDefinitions(before, { ...shuffled, name: "update" })).toEqual([]);
    const hidden = after({ inputSchema: JSON.parse('{"type":"object","constructor":{"x":1}}') });
    expect(diffDefinitions(after({ inputSchema: { type: "object" } }), hidden).map((c) => c.pointer)).toEqual(
      ["/inputSchema/constructor"],
    );
  });
});

describe("flagsOfChange", () => {
  const id = { type: "string" };
  test.each([
    ["description.changed", after({ description: "Other." })],
    ["description.changed", after({ title: "Other" })],
    ["parameter.added", schema({ id, "a/b~c": { type: "number" }, force: {} })],
    ["parameter.removed", schema({ id })],
    ["parameter.changed", schema({ id: { type: "string", enum: ["a"] }, "a/b~c": { type: "number" } })],
    ["input_schema.changed", schema({ id, "a/b~c": { type: "number" } }, ["id", "a/b~c"])],
    ["output_schema.changed", after({ outputSchema: { type: "object", properties: {} } })],
    ["output_schema.changed", after({ outputSchema: undefined })],
    ["annotation.weakened", after({ annotations: { destructiveHint: true, readOnlyHint: true } })],
    ["annotation.weakened", after({ annotations: { ...before.annotations, openWorldHint: false } })],
    ["destructive_hint.dropped", after({ annotations: { readOnlyHint: false } })],
  ])("%s", (flag, changed) => {
    expect(flagsOfChange(before, changed)).toEqual([flag]);
  });

  test("a hint that is turned round is both dropped and weaker, one that becomes graver is neither", () => {
    const turned = after({ annotations: { destructiveHint: false, readOnlyHint: false } });
    expect(flagsOfChange(before, turned)).toEqual(["destructive_hint.dropped", "annotation.weakened"]);
    expect(flagsOfChange(turned, before)).toEqual([]);
    expect(flagsOfChange(before, after({ "x-vendor": 1 }))).toEqual([]);
  });
});
