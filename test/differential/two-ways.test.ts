import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../scenario/eventually.ts";
import { TOOLS } from "./scripted-upstream.ts";
import { openTwoWays, type SentRequest, type Trace, type TwoWays, type Way } from "./two-ways.ts";

/** More of them for a longer look: `ATLAS_FUZZ_RUNS=5000`. */
const RUNS = Number(process.env["ATLAS_FUZZ_RUNS"] ?? 60);

let ways: TwoWays;
/** A session of each gateway. */
let sessions: { readonly short: string; readonly long: string };

beforeAll(async () => {
  ways = await openTwoWays();
  sessions = { short: await ways.short.begin(), long: await ways.long.begin() };
}, 60_000);
afterAll(() => ways.close());

const ERAS = ["stateless", "session", "modern"] as const;
type Era = (typeof ERAS)[number];

const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": { elicitation: {} },
};

interface Sample {
  readonly era: Era;
  readonly message: { readonly [key: string]: unknown; readonly params?: unknown };
  readonly space: string | undefined;
}

function requestOf({ era, message, space }: Sample, session: string): SentRequest {
  const params = message.params as { name?: unknown; _meta?: object } | undefined;
  const modern = { ...message, params: { ...params, _meta: { ...params?._meta, ...ENVELOPE } } };
  const headers = {
    stateless: {},
    session: { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" },
    modern: {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": String(message["method"]),
      "mcp-name": typeof params?.name === "string" && /^[ -~]+$/.test(params.name) ? params.name : "x",
    },
  };
  return { headers: headers[era], body: JSON.stringify(era === "modern" ? modern : message, null, space) };
}

/** What can be told of the same request to both gateways: nothing must tell the ways apart. */
function bothOf(sample: Sample) {
  return bothTraces(requestOf(sample, sessions.short), requestOf(sample, sessions.long));
}

async function bothTraces(toShort: SentRequest, toLong: SentRequest) {
  const short = await ways.short.send(toShort);
  const long = await ways.long.send(toLong);
  return { short: plain(short), long: plain(long) };
}

function plain({ whole: _whole, ...trace }: Trace) {
  const { "mcp-session-id": session, ...headers } = trace.headers;
  const body = trace.body.replaceAll(sessions.short, "session").replaceAll(sessions.long, "session");
  return { ...trace, body, headers: { ...headers, session: session !== undefined } };
}

const call = (name: string, more: object = {}, args: unknown = { a: 1 }) => ({
  jsonrpc: "2.0",
  id: 7,
  method: "tools/call",
  params: { name, arguments: args, ...more },
});

test.each(
  ERAS.flatMap((era) => TOOLS.filter(({ name }) => name !== "wait").map(({ name }) => [era, name] as const)),
)(
  "a call is answered, recorded and forwarded the same on both ways: %s, %s",
  async (era, name) => {
    for (const more of [{}, { _meta: { progressToken: "p" } }]) {
      const { short, long } = await bothOf({ era, space: undefined, message: call(name, more) });
      expect(short).toEqual(long);
    }
  },
  60_000,
);

test.each(ERAS)("the ways are two: %s", async (era) => {
  const request = (way: "short" | "long") =>
    requestOf({ era, space: undefined, message: call("echo") }, sessions[way]);
  expect((await ways.short.send(request("short"))).whole).toBe(true);
  expect((await ways.long.send(request("long"))).whole).toBe(false);
});

test.each(ERAS)("so are names that nobody has, and the gateway's own tools: %s", async (era) => {
  for (const name of ["nobody", "check_status", "withdraw_request"]) {
    const { short, long } = await bothOf({ era, space: undefined, message: call(name, {}, {}) });
    expect(short).toEqual(long);
  }
});

/** JSON that survives being sent: no numbers that a double cannot hold, no halves of surrogate pairs. */
const value = fc.jsonValue({ maxDepth: 3, stringUnit: "grapheme" });
const args = fc.dictionary(fc.string({ unit: "grapheme", maxLength: 8 }), value, { maxKeys: 5 });
const id = fc.oneof(fc.string({ unit: "grapheme", maxLength: 12 }), fc.integer());
const meta = fc.record(
  { progressToken: fc.oneof(id, fc.double()), "vendor.example/trace": value, traceparent: fc.string() },
  { requiredKeys: [] },
);

const wellFormed = fc.record({
  jsonrpc: fc.constant("2.0"),
  id,
  method: fc.constant("tools/call"),
  params: fc.record(
    {
      name: fc.constantFrom("echo", "strict", "structured", "odd_result", "faulty"),
      arguments: args,
      _meta: meta,
    },
    { requiredKeys: ["name"] },
  ),
});

/** Whatever a careless or hostile client may put where something else belongs. */
const bent = fc.record(
  {
    jsonrpc: fc.constantFrom("2.0", "1.0", 2),
    id: fc.oneof(id, value),
    method: fc.constantFrom("tools/call", "tools/list", "ping", "prompts/get", 3),
    params: fc.oneof(
      value,
      fc.record(
        {
          name: fc.oneof(fc.constantFrom("echo", "", "denied"), value),
          arguments: fc.oneof(args, value),
          _meta: fc.oneof(meta, value),
          task: value,
          requestState: value,
          extra: value,
        },
        { requiredKeys: [] },
      ),
    ),
    extra: value,
  },
  { requiredKeys: ["method"] },
);

const sample = (message: fc.Arbitrary<object>): fc.Arbitrary<Sample> =>
  fc.record({
    era: fc.constantFrom(...ERAS),
    message: message as fc.Arbitrary<Sample["message"]>,
    space: fc.constantFrom(undefined, "\t"),
  });

test(
  "no well-formed call is told apart",
  async () => {
    await fc.assert(
      fc.asyncProperty(sample(wellFormed), async (drawn) => {
        const { short, long } = await bothOf(drawn);
        expect(short).toEqual(long);
      }),
      { numRuns: RUNS },
    );
  },
  120_000 + RUNS * 200,
);

test(
  "no other message is told apart",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        sample(bent).filter(({ message }) => JSON.stringify(message) !== "{}"),
        async (drawn) => {
          const { short, long } = await bothOf(drawn);
          expect(short).toEqual(long);
        },
      ),
      { numRuns: RUNS },
    );
  },
  120_000 + RUNS * 200,
);

test.each([
  ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":1,"a":2}}}'],
  ['{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"echo"}}'],
  [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"n":12345678901234567890}}}',
  ],
  ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"s":"\\ud800"}}}'],
  [
    '{"jsonrpc":"2.0","id":1e2,"method":"tools/call","params":{"name":"echo","arguments":{"n":1.50,"e":1E3}}}',
  ],
  ['{"jsonrpc":"2.0","id":1,"method":"tools\\/call","params":{"name":"\\u0065cho"}}'],
  ["\uFEFF{}"],
  ["{"],
  [""],
  ["null"],
  ["[]"],
  ['[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}]'],
])("no text is told apart: %s", async (body) => {
  const request = { headers: {}, body };
  {
    const { short, long } = await bothTraces(request, request);
    expect(short).toEqual(long);
  }
});

test("bytes that are no text, foreign revisions, wrong headers and wrong credentials are not told apart", async () => {
  const body = JSON.stringify(call("echo"));
  const requests: SentRequest[] = [
    { headers: {}, body: new Uint8Array([0x7b, 0xff, 0x7d]) },
    { headers: { "mcp-protocol-version": "1999-01-01" }, body },
    { headers: { "mcp-protocol-version": "2026-07-28" }, body },
    { headers: { "mcp-method": "tools/call", "mcp-name": "echo" }, body },
    { headers: { "mcp-session-id": "nobody's" }, body },
    { headers: { accept: "application/json" }, body },
    { headers: { "content-type": "text/plain" }, body },
    { headers: { authorization: "Bearer nobody" }, body },
    { headers: { authorization: `Bearer ${"x".repeat(600)}` }, body },
    { headers: { host: "evil.example" }, body },
  ];
  for (const request of requests) {
    const { short, long } = await bothTraces(request, request);
    expect(short).toEqual(long);
  }
});

/** A call of the tool that never answers, once it has reached the upstream. */
async function waiting(way: Way, name: "short" | "long", request: SentRequest) {
  const answer = await way.open(request);
  let seen = "";
  await eventually(async () => {
    const [call] = ways.upstream.take(name);
    seen = call?.body ?? seen;
    expect(seen).not.toBe("");
  });
  return { answer, id: String((JSON.parse(seen) as { id: unknown }).id) };
}

test.each(["short", "long"] as const)("a client that goes away takes its call with it: %s", async (name) => {
  for (const era of ["stateless", "modern"] as const) {
    const request = requestOf({ era, space: undefined, message: call("wait") }, "");
    const { answer, id: sent } = await waiting(ways[name], name, request);
    answer.abort();
    await eventually(() => expect(ways.upstream.left).toContain(sent));
  }
});

test.each(["short", "long"] as const)(
  "a cancelled call is taken back, and not answered: %s",
  async (name) => {
    const request = requestOf({ era: "session", space: undefined, message: call("wait") }, sessions[name]);
    const { answer, id: sent } = await waiting(ways[name], name, request);
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } };
    const sentCancel = await ways[name].send({
      headers: { "mcp-session-id": sessions[name], "mcp-protocol-version": "2025-11-25" },
      body: JSON.stringify(cancel),
    });
    expect(sentCancel.status).toBe(202);
    await eventually(() => expect(ways.upstream.left).toContain(sent));
    expect(answer.text()).toBe("");
    answer.abort();
  },
);
