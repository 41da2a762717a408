import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changesOf, indented, parseJsonText, pieceAt, withMember } from "./json-text.ts";

const TEXT =
  '{"reason":"Rent é 1.50 \\u00e9 {late}, [or]", "days": 45.0,"who":{"id":"BEN-1","n":[1e2,-0.0]}}';

describe("JSON as text", () => {
  test("no token changes when line breaks are put between them", () => {
    const lines = indented(TEXT);
    expect(lines).toContain('"days": 45.0,\n  "who": {\n    "id": "BEN-1"');
    expect(JSON.parse(lines)).toEqual(JSON.parse(TEXT));
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(indented(text))).toEqual(JSON.parse(text));
        expect(indented(indented(text))).toBe(indented(text));
      }),
    );
  });

  test("every member is found where it stands", () => {
    expect(pieceAt(TEXT, "/days")).toBe("45.0");
    expect(pieceAt(TEXT, "/who/n/1")).toBe("-0.0");
    expect(pieceAt('{"a/b":{"~":1}}', "/a~1b/~0")).toBe("1");
    expect(pieceAt(TEXT, "/nobody")).toBeUndefined();
    expect(parseJsonText("{")).toBeNull();
  });

  test("what is written in another way differs", () => {
    expect(changesOf('{"a":45,"b":"x"}', '{"b":"x","a":45.0,"c":null}')).toEqual([
      { pointer: "/a", from: "45", to: "45.0" },
      { pointer: "/c", from: null, to: "null" },
    ]);
    expect(changesOf('{"a":[1,2]}', '{"a":[1]}')).toEqual([{ pointer: "/a/1", from: "2", to: null }]);
    expect(changesOf('{"a":[]}', '{"a":{}}')).toEqual([{ pointer: "/a", from: "[]", to: "{}" }]);
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(changesOf(text, text)).toEqual([]);
      }),
    );
  });

  test("a member is set, added and taken out, and nothing else moves", () => {
    expect(withMember(TEXT, "days", "14")).toBe(TEXT.replace("45.0", "14"));
    expect(withMember("{ }", "a", "1")).toBe('{ "a":1}');
    expect(withMember('{"a":1}', "b", '"x"')).toBe('{"a":1,"b":"x"}');
    expect(withMember('{"a":1, "b":2}', "a", null)).toBe('{ "b":2}');
    expect(withMember('{"a":1, "b":2}', "b", null)).toBe('{"a":1}');
    expect(withMember('{"a":1}', "a", null)).toBe("{}");
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (value, name) => {
        const text = JSON.stringify(value);
        const set = JSON.parse(withMember(text, name, "7")) as Record<string, unknown>;
        expect(Object.entries(set).find(([key]) => key === name)?.[1]).toBe(7);
        const gone = JSON.parse(withMember(text, name, null)) as Record<string, unknown>;
        expect(Object.keys(gone)).toEqual(Object.keys(JSON.parse(text) as object).filter((k) => k !== name));
      }),
    );
  });
});
