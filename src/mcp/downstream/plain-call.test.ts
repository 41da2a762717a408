import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readPlainCall } from "./plain-call.ts";

const id = fc.oneof(fc.string({ unit: "grapheme" }), fc.integer());
const args = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ stringUnit: "grapheme" }));
const meta = fc.record(
  { progressToken: id, "vendor.example/a": fc.jsonValue({ stringUnit: "grapheme" }) },
  { requiredKeys: [] },
);
const call = fc.record({
  jsonrpc: fc.constant("2.0"),
  id,
  method: fc.constant("tools/call"),
  params: fc.record(
    { name: fc.string({ unit: "grapheme" }), arguments: args, _meta: meta },
    { requiredKeys: ["name"] },
  ),
});

type Parsed = {
  readonly id: unknown;
  readonly params: {
    readonly name: unknown;
    readonly arguments?: unknown;
    readonly _meta?: { readonly progressToken?: unknown };
  };
};

/** What was read, as values; null when it was left to others. */
function valuesOf(text: string) {
  const read = readPlainCall(text);
  if (read === null) return null;
  const { id: readId, name, argumentsText, metaText, progressToken } = read;
  return {
    id: readId,
    name,
    args: JSON.parse(argumentsText),
    meta: JSON.parse(metaText ?? "{}"),
    progressToken,
  };
}

/** What `JSON.parse` reads in the same text. */
function parsedOf(text: string) {
  const { id: parsedId, params } = JSON.parse(text) as Parsed;
  const { progressToken, ...forwarded } = params._meta ?? {};
  return { id: parsedId, name: params.name, args: params.arguments ?? {}, meta: forwarded, progressToken };
}

describe("readPlainCall", () => {
  test("reads what JSON.parse reads, whatever the white space", () => {
    fc.assert(
      fc.property(call, fc.constantFrom(undefined, " ", "\t"), (message, space) => {
        const text = JSON.stringify(message, null, space);
        fc.pre(!text.includes("__proto__"));
        expect(valuesOf(text)).toEqual(parsedOf(text));
      }),
    );
  });

  test("never reads anything else than JSON.parse, whatever is done to the text", () => {
    const cut = fc.record({
      at: fc.nat(400),
      length: fc.nat(3),
      put: fc.constantFrom("", '"', "{", "}", ",", "0", "\\", "\u0000", "e9"),
    });
    fc.assert(
      fc.property(call, fc.array(cut, { maxLength: 3 }), (message, cuts) => {
        let text = JSON.stringify(message);
        for (const { at, length, put } of cuts) text = text.slice(0, at) + put + text.slice(at + length);
        const read = valuesOf(text);
        expect(read).toEqual(read === null ? null : parsedOf(text));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["a batch", "[]"],
    ["another method", '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"name":"a"}}'],
    ["a notification", '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}'],
    ["a fraction as id", '{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{"name":"a"}}'],
    [
      "a member that nobody knows",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","x":1,"params":{"name":"a"}}',
    ],
    ["a task", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","task":{}}}'],
    ["a retry", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","requestState":"x"}}'],
    [
      "arguments that are no object",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[]}}',
    ],
    ["a key twice", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}'],
    [
      "an extension",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"extensions":{}}}}}',
    ],
  ])("leaves %s to others", (_what, text) => {
    expect(readPlainCall(text)).toBeNull();
  });
});
