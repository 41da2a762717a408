import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  arrayElements,
  MAX_JSON_DEPTH,
  memberText,
  objectMembers,
  readStrictJson,
  survivesDouble,
} from "./strict-json.ts";

function textOf(input: string): string {
  const read = readStrictJson(input);
  if (!read.ok) throw new Error(read.failure.message);
  return read.value.text;
}

function placeOf(input: string): string {
  const read = readStrictJson(input);
  if (read.ok) throw new Error(`accepted: ${input}`);
  return read.failure.place;
}

describe("readStrictJson", () => {
  test.each([
    ['{"a":1,"a":2}', "/a"],
    ['{"a":{"b":[0,{"c":1,"\\u0063":2}]}}', "/a/b/1/c"],
    ['{"x":{"__proto__":{}}}', "/x/__proto__"],
    ['{"x":{"__pr\\u006fto__":{}}}', "/x/__proto__"],
    ['["ok","\\ud800"]', "/1"],
    ['{"amount":12345678901234567890}', "/amount"],
    ['{"amount":9007199254740993}', "/amount"],
    ['{"a/b~c":1e400}', "/a~1b~0c"],
    ['{"tiny":1e-400}', "/tiny"],
  ])("refuses %s and names the place %s", (input, place) => {
    expect(placeOf(input)).toBe(place);
  });

  test("refuses text that is not JSON without quoting it", () => {
    const read = readStrictJson('{"password":"hunter2",}');
    expect(read.ok).toBe(false);
    if (!read.ok) {
      expect(read.failure.message).toMatch(/not valid JSON/);
      expect(read.failure.message).not.toContain("hunter2");
    }
  });

  test("takes nesting up to the limit and refuses one level more", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(textOf(nested(MAX_JSON_DEPTH))).toBe(nested(MAX_JSON_DEPTH));
    expect(readStrictJson(nested(MAX_JSON_DEPTH + 1)).ok).toBe(false);
    expect(readStrictJson(nested(100_000)).ok).toBe(false);
  });

  test("keeps key order, number tokens and escapes, and drops only white space outside strings", () => {
    expect(textOf(' { "b" : 1.0 , "1" : [ 1e2 , "\\u0041 b" ] ,\n "a" : -0 } ')).toBe(
      '{"b":1.0,"1":[1e2,"\\u0041 b"],"a":-0}',
    );
  });

  test("the kept text means what the input means, for any JSON and any layout", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.nat(3), (value, indent) => {
        const input = JSON.stringify(value, null, indent);
        const read = readStrictJson(input);
        if (!read.ok) {
          expect(input).toMatch(/__proto__|\\u[dD]/);
          return;
        }
        expect(read.value.text).toBe(JSON.stringify(value));
      }),
    );
  });
});

describe("survivesDouble", () => {
  test.each([
    "0",
    "-0",
    "1.0",
    "0.1",
    "1e2",
    "123456789012345",
    "0.30000000000000004",
    "0.10000000000000001",
    "1e308",
    "9007199254740992",
    "100000000000000000000",
  ])("%s survives", (token) => expect(survivesDouble(token)).toBe(true));
  test.each([
    "9007199254740993",
    "12345678901234567890",
    "0.1000000000000000055511151231257827",
    "1e309",
    "1e-400",
    "3.14159265358979323846",
  ])("%s does not", (token) => expect(survivesDouble(token)).toBe(false));
  test("every double survives in its shortest and in its 17-digit form", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        expect(survivesDouble(String(n).replace("e+", "e"))).toBe(true);
        expect(survivesDouble(n.toPrecision(17).replace("e+", "e"))).toBe(true);
      }),
    );
  });
});

describe("texts inside a text", () => {
  const text = textOf(
    '{"id": 1, "params": {"name": "a,b", "arguments": {"x": [1, {"y": "}"}], "z": {}}, "e": []}}',
  );

  test("gives the exact text at a path", () => {
    expect(memberText(text, ["params", "arguments"])).toBe('{"x":[1,{"y":"}"}],"z":{}}');
    expect(memberText(text, ["params", "none"])).toBeUndefined();
    expect(memberText(text, ["id", "none"])).toBeUndefined();
  });

  test("splits objects and arrays at their own commas", () => {
    expect(objectMembers(memberText(text, ["params"]) ?? "").map((m) => m.key)).toEqual([
      "name",
      "arguments",
      "e",
    ]);
    expect(arrayElements('[1,[2,3],{"a":",]"},"x"]')).toEqual(["1", "[2,3]", '{"a":",]"}', '"x"']);
    expect(arrayElements("[]")).toEqual([]);
    expect(objectMembers("{}")).toEqual([]);
  });
});
