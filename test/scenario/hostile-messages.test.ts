import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { recordedCalls } from "../servers/counting-upstream.ts";
import {
  callText,
  onlyMessage,
  readAnswer,
  refIn,
  type WireAgent,
  type WireAnswer,
  type WireMessage,
  wireAgent,
  words,
} from "./agent.ts";
import { type EventStream, openEventStream } from "./event-stream.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

const MARKER = "argument-marker-91be";

let gateway: Scenario;
let agent: WireAgent;
let stream: EventStream;
let messagesPath: string;
let recordFile: string;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      recordFile = join(folder, "calls.jsonl");
      return `
upstreams:
  ${countingUpstream({ name: "live", recordFile })}
  ${countingUpstream({ name: "held", recordFile })}
policy:
  - { upstream: live, verdict: allow }
  - { upstream: held, verdict: review }
`;
    },
  });
  agent = wireAgent(gateway);
  stream = await openEventStream(gateway, gateway.agentKey);
  messagesPath = await stream.endpoint();
});
afterAll(async () => {
  await stream.close();
  await gateway.close();
});

const JSON_HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const ENTRANCES = ["/mcp", "/mcp/messages"] as const;
type Entrance = (typeof ENTRANCES)[number];

/** A POST of the agent at one of its two entrances. */
async function post(
  entrance: Entrance,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<WireAnswer> {
  const path = entrance === "/mcp" ? entrance : messagesPath;
  const response = await fetch(gateway.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.agentKey}`, ...JSON_HEADERS, ...headers },
    body,
  });
  return readAnswer(response);
}

let forwardedBefore: number;
beforeEach(() => {
  forwardedBefore = forwarded();
});

function forwarded(): number {
  return recordedCalls(recordFile).length;
}

/** A refusal before anything was done: nothing reached the upstream, no case was opened, nothing is repeated to the sender. */
async function expectNothingDone(answer: WireAnswer): Promise<void> {
  expect(answer.text).not.toContain(MARKER);
  expect(forwarded()).toBe(forwardedBefore);
  expect(words(await agent.call("check_status"))).toContain("You have no open cases");
}

const AMBIGUITIES = [
  { what: "a key twice", member: '"k":1,"k":2', place: "/k" },
  { what: "a key twice, once with an escape", member: String.raw`"k":1,"\u006b":2`, place: "/k" },
  { what: "a prototype", member: '"__proto__":{"admin":true}', place: "/__proto__" },
  { what: "half of a surrogate pair", member: String.raw`"k":"\ud800"`, place: "/k" },
  { what: "an integer of 20 digits", member: '"k":12345678901234567890', place: "/k" },
  { what: "a number beyond every double", member: '"k":1e999', place: "/k" },
] as const;

const PLACES = [
  {
    where: "beside params",
    at: "",
    wrap: (m: string) => callText({ tool: "live_write_thing" }).replace(/}$/, `,${m}}`),
  },
  {
    where: "in the arguments",
    at: "/params/arguments",
    wrap: (m: string) => callText({ tool: "live_write_thing", argumentsText: `{"text":"${MARKER}",${m}}` }),
  },
  {
    where: "deep in _meta",
    at: "/params/_meta/vendor/0",
    wrap: (m: string) => callText({ tool: "live_write_thing", metaText: `{"vendor":[{${m}}]}` }),
  },
  {
    where: "in the second message of a batch",
    at: "/1/params/arguments",
    wrap: (m: string) =>
      `[${callText({ tool: "live_read_thing" })},${callText({ tool: "live_write_thing", idText: "2", argumentsText: `{${m}}` })}]`,
  },
] as const;

describe.each(ENTRANCES)("%s", (entrance) => {
  describe.each(PLACES)("$where", ({ at, wrap }) => {
    test.each(AMBIGUITIES)(
      "$what is refused with its place, and not forwarded",
      async ({ member, place }) => {
        const answer = await post(entrance, wrap(member));
        expect(answer.status).toBe(400);
        expect(answer.text).toContain("[arguments.ambiguous]");
        await expectNothingDone(answer);
        expect(onlyMessage(answer).error?.message).toContain(`Place: ${at}${place} `);
      },
    );
  });

  test.each<[string, string | Uint8Array<ArrayBuffer>, RegExp]>([
    ["half a message", callText({ tool: "live_write_thing" }).slice(0, -1), /not valid JSON/],
    ["nothing", "", /not valid JSON/],
    ["no message at all", "7", /./],
    ["bytes that are not UTF-8", Buffer.from([...Buffer.from('{"a":"'), 0xc3, 0x28, 0x22, 0x7d]), /UTF-8/],
    ["1,000 levels of nesting", `${"[".repeat(1_000)}${"]".repeat(1_000)}`, /nested deeper than 128 levels/],
    [
      "200,000 levels of nesting",
      `${"[".repeat(200_000)}${"]".repeat(200_000)}`,
      /nested deeper than 128 levels/,
    ],
    [
      "two calls of a batch under one id",
      `[${callText({ tool: "live_read_thing" })},${callText({ tool: "live_write_thing" })}]`,
      /same id/,
    ],
    [
      "two calls of a batch under one id in two spellings",
      `[${callText({ tool: "live_read_thing" })},${callText({ tool: "live_write_thing", idText: "1.0" })}]`,
      /same id/,
    ],
  ])("%s is refused with a sentence", async (_what, body, sentence) => {
    const answer = await post(entrance, body);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.text).toMatch(sentence);
    await expectNothingDone(answer);
  });

  test("arguments 1,000 levels deep are refused", async () => {
    const argumentsText = `{"a":${"[".repeat(1_000)}${"]".repeat(1_000)}}`;
    const answer = await post(entrance, callText({ tool: "live_write_thing", argumentsText }));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("nested deeper");
    await expectNothingDone(answer);
  });

  test("a body of 10 MB is too large", async () => {
    const body = callText({
      tool: "live_write_thing",
      argumentsText: JSON.stringify({ text: "x".repeat(10_000_000) }),
    });
    const answer = await post(entrance, body);
    expect(answer.status).toBe(413);
    expect(answer.text).toContain("larger than 4 MiB");
    await expectNothingDone(answer);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])(
    "a body of type %j is refused",
    async (type) => {
      const answer = await post(entrance, callText({ tool: "live_write_thing" }), { "content-type": type });
      expect(answer.status).toBe(415);
      expect(answer.text).toContain("application/json");
      await expectNothingDone(answer);
    },
  );
});

const MODERN = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "wire", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

describe("the 2026 revision's headers", () => {
  const headers = {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "live_write_thing",
  };
  const body = callText({ tool: "live_write_thing", metaText: JSON.stringify(MODERN) });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["another method", { ...headers, "mcp-method": "tools/list" }],
    ["another tool", { ...headers, "mcp-name": "live_read_thing" }],
    ["a tool in another case", { ...headers, "mcp-name": "LIVE_WRITE_THING" }],
    ["another version", { ...headers, "mcp-protocol-version": "2025-11-25" }],
  ])("that name %s than the body are refused", async (_what, lying) => {
    const answer = await agent.post(body, lying);
    expect(answer.status, answer.text).toBe(400);
    expect(onlyMessage(answer).error?.message).toMatch(/./);
    expect(forwarded()).toBe(forwardedBefore);
  });
});

describe("methods", () => {
  test.each([
    "sampling/createMessage",
    "elicitation/create",
    "roots/list",
    "tasks/get",
    "tasks/result",
    "tools/Call",
    "tools/call ",
    "__proto__",
    "constructor",
    "toString",
  ])(
    "%j is refused in both eras",
    async (method) => {
      const params = { uri: "file:///etc/passwd", name: "live_write_thing", arguments: {}, taskId: "1" };
      const legacy = await agent.post(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
      expect(onlyMessage(legacy).error).toMatchObject({ code: -32601 });
      const modern = await agent.post(
        JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: MODERN } }),
        { "mcp-protocol-version": "2026-07-28", "mcp-method": method, "mcp-name": "live_write_thing" },
      );
      expect(modern.status).toBeGreaterThanOrEqual(400);
      expect(modern.status).toBeLessThan(500);
      expect(onlyMessage(modern).error?.message).toMatch(/./);
      expect(forwarded()).toBe(forwardedBefore);
    },
    15_000,
  );
});

describe("calls that are none", () => {
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call" };
  const name = "live_write_thing";
  test.each<[string, object]>([
    [
      "no id, as if it were a notification",
      { jsonrpc: "2.0", method: "tools/call", params: { name, arguments: {} } },
    ],
    ["null for an id", { ...call, id: null, params: { name, arguments: {} } }],
    ["an object for an id", { ...call, id: {}, params: { name, arguments: {} } }],
    ["another version of JSON-RPC", { ...call, jsonrpc: "1.0", params: { name, arguments: {} } }],
    ["no params", call],
    ["params in order", { ...call, params: [name, {}] }],
    ["no name", { ...call, params: { arguments: {} } }],
    ["a number for a name", { ...call, params: { name: 1, arguments: {} } }],
    ["a name that every object has", { ...call, params: { name: "constructor", arguments: {} } }],
    ["text for arguments", { ...call, params: { name, arguments: "{}" } }],
    ["a list for arguments", { ...call, params: { name, arguments: [] } }],
    ["null for arguments", { ...call, params: { name, arguments: null } }],
    ["arguments that do not fit the schema", { ...call, params: { name, arguments: { text: 7 } } }],
    ["text for _meta", { ...call, params: { name, arguments: {}, _meta: "x" } }],
    ["a member beside params", { ...call, params: { name, arguments: {} }, extra: 1 }],
  ])("with %s reach no upstream", async (_what, body) => {
    const text = JSON.stringify(body);
    for (const answer of [await agent.post(text), await agent.post(`[${text}]`)]) {
      expect(answer.status).toBeLessThan(500);
      for (const { error, result } of answer.messages) {
        expect(error !== undefined || result?.isError === true, answer.text).toBe(true);
        expect(error?.code).not.toBe(-32603);
      }
      await expectNothingDone(answer);
    }
  });
});

// From here on calls are carried out.
describe.each(ENTRANCES)("a batch at %s", (entrance) => {
  test("is governed call by call: the harmless one is answered, the dangerous one waits", async () => {
    const harmless = callText({ tool: "live_read_thing", idText: '"harmless"' });
    const argumentsText = JSON.stringify({ text: `${MARKER} by ${entrance}` });
    const dangerous = callText({ tool: "held_write_thing", idText: '"dangerous"', argumentsText });
    const answer = await post(entrance, `[${harmless},${dangerous}]`, {
      "mcp-protocol-version": "2025-03-26",
    });
    const messages = entrance === "/mcp" ? answer.messages : await responsesOf(["harmless", "dangerous"]);
    expect(messages, answer.text).toHaveLength(2);
    const resultOf = (id: string) => messages.find((message) => message.id === id)?.result ?? {};
    expect(words(resultOf("harmless"))).toBe("read_thing done");
    const ref = refIn(resultOf("dangerous"));
    expect(forwarded()).toBe(forwardedBefore + 1);
    await agent.call("withdraw_request", JSON.stringify({ ref }));
  });
});

/** The answers on the stream under these ids, in any order; what else comes is passed over. */
async function responsesOf(ids: readonly string[]): Promise<readonly WireMessage[]> {
  const found: WireMessage[] = [];
  while (found.length < ids.length) {
    const message = await stream.next();
    if (message.method === undefined && ids.includes(String(message.id))) found.push(message);
  }
  return found;
}

describe("after all of it", () => {
  test("the gateway answers, and every refusal of an ambiguous call is on record", async () => {
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    expect(words(await agent.call("live_read_thing"))).toBe("read_thing done");
    const refusals = gateway.ledgerText().split("arguments.ambiguous").length - 1;
    expect(refusals).toBeGreaterThanOrEqual(ENTRANCES.length * PLACES.length * AMBIGUITIES.length);
  });

  test("the log and the ledger hold no credential and no argument, and the ledger verifies", () => {
    for (const secret of [gateway.agentKey, gateway.reviewerToken, MARKER, messagesPath]) {
      expect(gateway.logText()).not.toContain(secret);
      expect(gateway.ledgerText()).not.toContain(secret);
    }
    expect(gateway.verifyLedger().findings).toEqual([]);
  });
});
