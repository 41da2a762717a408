import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rawValue } from "../../../test/servers/raw-frame.ts";
import { mergeMeta, rawMembers, requestText } from "./raw-json.ts";

describe("rawMembers", () => {
  test("keeps members byte for byte, in order", () => {
    expect(rawMembers('{"10":1.0,"2":"a\\",}{","\\u0061":[{"x":[]},2], "s" : null }')).toEqual([
      { key: "10", text: '"10":1.0' },
      { key: "2", text: '"2":"a\\",}{"' },
      { key: "a", text: '"\\u0061":[{"x":[]},2]' },
      { key: "s", text: '"s" : null' },
    ]);
    expect(rawMembers("{}")).toEqual([]);
  });

  test("refuses what is not an object", () => {
    expect(() => rawMembers("[1]")).toThrow(SyntaxError);
    expect(() => rawMembers("{1:2}")).toThrow(SyntaxError);
  });

  test("joined again, the members are the object", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object);
        expect(
          `{${rawMembers(text)
            .map((member) => member.text)
            .join(",")}}`,
        ).toBe(text);
      }),
    );
  });
});

describe("mergeMeta", () => {
  test("is the forwarded text itself when nothing is added", () => {
    expect(mergeMeta('{"10":1.0,"2":[]}', {})).toBe('{"10":1.0,"2":[]}');
    expect(mergeMeta(null, {})).toBeNull();
  });

  test("adds ours and leaves no name twice", () => {
    expect(mergeMeta('{"a":1.0,"progress\\u0054oken":"theirs","b":2}', { progressToken: "ours" })).toBe(
      '{"a":1.0,"b":2,"progressToken":"ours"}',
    );
    expect(mergeMeta(null, { progressToken: 1 })).toBe('{"progressToken":1}');
    expect(mergeMeta("{}", { progressToken: 1 })).toBe('{"progressToken":1}');
  });
});

describe("requestText", () => {
  test("carries any JSON text as it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, name) => {
        const text = JSON.stringify(value);
        const frame = requestText({
          id: "x",
          method: "m",
          params: { name: JSON.stringify(name), arguments: text, _meta: null },
        });
        expect(rawValue(frame, ["params", "arguments"])).toBe(text);
        expect(JSON.parse(frame)).toEqual({
          jsonrpc: "2.0",
          id: "x",
          method: "m",
          params: { name, arguments: JSON.parse(text) },
        });
      }),
    );
  });
});
