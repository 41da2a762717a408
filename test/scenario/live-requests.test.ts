import { join } from "node:path";
import { Client, type ClientCapabilities, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { approve, onlyMessage, readApi, refIn, type ToolResult, wireAgent, words } from "./agent.ts";
import { eventually } from "./eventually.ts";
import { openScenario, type Scenario } from "./gateway.ts";
import { initialize, sessionAgent } from "./session-agent.ts";

const ASKING = join(import.meta.dirname, "../servers/asking-upstream.ts");
const FORM = {
  method: "elicitation/create",
  params: {
    message: "Who?",
    requestedSchema: { type: "object", properties: { name: { type: "string" } } },
    "x-vendor": { kept: [1] },
  },
};
const SAMPLE = {
  method: "sampling/createMessage",
  params: { messages: [{ role: "user", content: { type: "text", text: "Say yes." } }], maxTokens: 5 },
};
const URL_FORM = {
  method: "elicitation/create",
  params: { mode: "url", message: "Sign", url: "https://x.example", elicitationId: "e" },
};

let gateway: Scenario;
const clients: Client[] = [];

beforeAll(async () => {
  gateway = await openScenario({
    yaml: () => {
      const upstream = (isolation: string) =>
        JSON.stringify({ command: process.execPath, args: [ASKING], isolation });
      return `
upstreams:
  own: ${upstream("session")}
  agents: ${upstream("agent")}
  everybodys: ${upstream("shared")}
  held: ${upstream("session")}
  modern: ${JSON.stringify({ command: process.execPath, args: [ASKING, "--modern"], isolation: "session" })}
  modern_shared: ${JSON.stringify({ command: process.execPath, args: [ASKING, "--modern"], isolation: "shared" })}
policy:
  - { upstream: held, verdict: review }
  - { upstream: "*", verdict: allow }
`;
    },
  });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(() => gateway.close());

/** What the test answers to each method, and what it was asked. */
interface Behaviour {
  readonly capabilities: ClientCapabilities;
  readonly answer?: (method: string, params: unknown) => Promise<Record<string, unknown>>;
}

interface TestClient {
  readonly asked: { readonly method: string; readonly params: unknown }[];
  readonly told: { readonly method: string; readonly params: unknown }[];
  call(tool: string, args?: object): Promise<unknown>;
}

/** A client of the 2025 revisions with a session; what it is asked and answers goes through the SDK unchecked. */
async function connect(behaviour: Behaviour, key: string = gateway.agentKey): Promise<TestClient> {
  const client = new Client(
    { name: "test", version: "1" },
    { capabilities: behaviour.capabilities, versionNegotiation: { mode: "legacy" } },
  );
  clients.push(client);
  const asked: TestClient["asked"] = [];
  const told: TestClient["told"] = [];
  client.fallbackRequestHandler = async ({ method, params }) => {
    asked.push({ method, params });
    return (await behaviour.answer?.(method, params)) ?? {};
  };
  client.fallbackNotificationHandler = async ({ method, params }) => {
    told.push({ method, params });
  };
  const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });
  await client.connect(transport);
  return {
    asked,
    told,
    call: async (name, args = {}) => {
      const result = await client.callTool({ name, arguments: { ...args } });
      return JSON.parse(words(result as ToolResult));
    },
  };
}

const answerName = async () => ({ action: "accept", content: { name: "Ada" }, "x-vendor": [2] });

describe("isolation: session", () => {
  test("what an upstream asks reaches the client of its session, and the answer the upstream", async () => {
    const client = await connect({ capabilities: { elicitation: {} }, answer: answerName });
    expect(await client.call("own_ask", FORM)).toEqual({
      result: { action: "accept", content: { name: "Ada" }, "x-vendor": [2] },
    });
    expect(client.asked).toEqual([FORM]);
  });

  test("sampling and roots go the same way", async () => {
    const root = { uri: "file:///x" };
    const reply = { role: "assistant", content: { type: "text", text: "yes" }, model: "m" };
    const client = await connect({
      capabilities: { sampling: {}, roots: {} },
      answer: async (method) => (method === "roots/list" ? { roots: [root] } : reply),
    });
    expect(await client.call("own_ask", { method: "roots/list" })).toEqual({ result: { roots: [root] } });
    expect(await client.call("own_ask", SAMPLE)).toEqual({ result: reply });
  });

  test("only what the client declared is declared to the upstream, and only that can be asked", async () => {
    const client = await connect({ capabilities: { elicitation: { form: {} } }, answer: answerName });
    expect(await client.call("own_connection")).toMatchObject({ declared: { elicitation: { form: {} } } });
    const refused = { error: { code: -32601 } };
    expect(await client.call("own_ask", { method: "roots/list" })).toMatchObject(refused);
    expect(await client.call("own_ask", SAMPLE)).toMatchObject(refused);
    expect(await client.call("own_ask", URL_FORM)).toMatchObject(refused);
    expect(await client.call("own_ask", { method: "vendor/anything" })).toMatchObject(refused);
    expect(await client.call("own_ask", { method: "ping" })).toEqual({ result: {} });
    expect(client.asked).toEqual([]);
  });

  test("an error of the client reaches the upstream as it is", async () => {
    const client = await connect({
      capabilities: { elicitation: {} },
      answer: () => Promise.reject(Object.assign(new Error("not today"), { code: -1, data: { why: "x" } })),
    });
    expect(await client.call("own_ask", FORM)).toEqual({
      error: { code: -1, message: "not today", data: { why: "x" } },
    });
  });

  test("log messages and progress of the upstream reach the client", async () => {
    const client = await connect({ capabilities: {} });
    const log = { method: "notifications/message", params: { level: "info", data: { vendor: [1] } } };
    await client.call("own_tell", log);
    await client.call("own_tell", { method: "notifications/vendor", params: {} });
    await eventually(() => expect(client.told).toEqual([log]));
  });

  test("each session has a connection of its own, and no client is asked for another", async () => {
    const other = await gateway.addAgent("other-agent");
    const [one, two, three] = await Promise.all([
      connect({
        capabilities: { elicitation: {} },
        answer: async () => ({ action: "accept", content: { name: "one" } }),
      }),
      connect({
        capabilities: { elicitation: {} },
        answer: async () => ({ action: "accept", content: { name: "two" } }),
      }),
      connect({ capabilities: {} }, other),
    ]);
    const connections = await Promise.all([one, two, three].map((client) => client.call("own_connection")));
    expect(new Set(connections.map((c) => JSON.stringify(c))).size).toBe(3);
    const [answerOne, answerTwo] = await Promise.all([
      one.call("own_ask", FORM),
      two.call("own_ask", { ...FORM, order: 2 }),
    ]);
    expect(answerOne).toMatchObject({ result: { content: { name: "one" } } });
    expect(answerTwo).toMatchObject({ result: { content: { name: "two" } } });
    expect(await three.call("own_ask", FORM)).toMatchObject({ error: { code: -32601 } });
    expect(await one.call("own_connection", { again: 1 })).toMatchObject({ calls: 3 });
  });

  test("a call without a session is one of its own, and is asked nothing", async () => {
    const agent = wireAgent(gateway);
    const idOf = async (order: number): Promise<unknown> =>
      JSON.parse(words(await agent.call("own_connection", JSON.stringify({ order }))));
    expect(await idOf(1)).toMatchObject({ calls: 1, declared: {} });
    expect(await idOf(2)).toMatchObject({ calls: 1, declared: {} });
    const asked = words(await agent.call("own_ask", JSON.stringify(FORM)));
    expect(JSON.parse(asked)).toMatchObject({ error: { code: -32601 } });
  });

  test("a session that was taken up again after a restart is asked nothing", async () => {
    const id = await initialize(gateway, gateway.agentKey, { elicitation: {} });
    await gateway.stop();
    await gateway.start();
    const agent = sessionAgent(gateway, gateway.agentKey, id ?? "");
    const answer = await agent.request("tools/call", { name: "own_ask", arguments: FORM });
    expect(JSON.parse(words(answer.result ?? {}))).toMatchObject({ error: { code: -32601 } });
  });

  test("an approved call runs on a fresh connection that declares nothing", async () => {
    const client = await connect({ capabilities: { elicitation: {} }, answer: answerName });
    const agent = wireAgent(gateway);
    const ref = refIn(await agent.call("held_ask", JSON.stringify(FORM)));
    await approve(gateway, ref);
    expect(words(await agent.checkStatus(ref, 25))).toContain('"error":{"code":-32601');
    expect(client.asked).toEqual([]);
  });
});

describe.each(["agents", "everybodys"])("isolation of %s", (upstream) => {
  test("no capability is declared, and nothing is asked or told", async () => {
    const client = await connect({
      capabilities: { elicitation: {}, sampling: {}, roots: {} },
      answer: answerName,
    });
    expect(await client.call(`${upstream}_connection`)).toMatchObject({ declared: {} });
    for (const question of [FORM, SAMPLE, { method: "roots/list" }]) {
      expect(await client.call(`${upstream}_ask`, question)).toMatchObject({ error: { code: -32601 } });
    }
    await client.call(`${upstream}_tell`, {
      method: "notifications/message",
      params: { level: "info", data: 1 },
    });
    expect(await client.call(`${upstream}_connection`, { again: 1 })).toMatchObject({ declared: {} });
    expect([client.asked, client.told]).toEqual([[], []]);
  });
});

describe("a client of the 2026 revision", () => {
  const capabilities = { elicitation: { form: {} } };

  /** The call as it is on the wire. */
  async function post(params: object, key: string = gateway.agentKey, declared: object = capabilities) {
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": declared,
      "io.modelcontextprotocol/clientInfo": { name: "wire", version: "1" },
    };
    const name = String(Reflect.get(params, "name"));
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { arguments: {}, ...params, _meta } };
    return onlyMessage(
      await wireAgent(gateway, key).post(JSON.stringify(body), {
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": name,
      }),
    );
  }

  const inputResponses = { who: { action: "accept", content: { name: "Ada" } } };

  /** Asks, and gives the state that the client is to send back. */
  async function stateOf(args: object): Promise<unknown> {
    const { result } = await post({ name: "modern_needs_input", arguments: args });
    expect(result).toMatchObject({ resultType: "input_required" });
    return result?.["requestState"];
  }

  test("answers what an upstream asks by its result, and the call goes on", async () => {
    const client = new Client(
      { name: "test", version: "1" },
      { capabilities, versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    clients.push(client);
    const asked: unknown[] = [];
    client.setRequestHandler("elicitation/create", async ({ params }) => {
      asked.push(params.message);
      return { action: "accept", content: { name: "Ada" } };
    });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), {
        requestInit: { headers: { authorization: `Bearer ${gateway.agentKey}` } },
      }),
    );
    const result = await client.callTool({ name: "modern_needs_input", arguments: { by: "sdk" } });
    expect(JSON.parse(words(result as ToolResult))).toMatchObject({
      inputResponses: { who: { action: "accept", content: { name: "Ada" } } },
      requestState: "state-of-upstream",
      declared: capabilities,
    });
    expect(asked).toEqual(["Who?"]);
  });

  test("gets the state in an envelope that says nothing, and opens only for its own call", async () => {
    const args = { by: "wire" };
    const requestState = await stateOf(args);
    expect(requestState).not.toContain("state-of-upstream");
    const call = { name: "modern_needs_input", arguments: args, inputResponses, requestState };
    const other = await gateway.addAgent("state-thief");
    const refused = {
      result: { isError: true, _meta: { "atlas-gateway/case": { reason_id: "request_state.invalid" } } },
    };
    expect(await post(call, other)).toMatchObject(refused);
    expect(await post({ ...call, arguments: { by: "another" } })).toMatchObject(refused);
    expect(await post({ ...call, name: "modern_connection" })).toMatchObject(refused);
    expect(await post({ ...call, requestState: "state-of-upstream" })).toMatchObject(refused);
    expect(await post({ name: call.name, arguments: args, inputResponses })).toMatchObject(refused);
    const done = await post(call);
    expect(JSON.parse(words(done.result ?? {}))).toMatchObject({
      inputResponses,
      requestState: "state-of-upstream",
    });
  });

  test("is not asked what it did not declare, nor by an upstream without sessions of its own", async () => {
    const call = { arguments: { by: "nobody" } };
    expect(await post({ ...call, name: "modern_needs_input" }, gateway.agentKey, {})).toMatchObject({
      error: { code: -32021 },
    });
    expect(await post({ ...call, name: "modern_shared_needs_input" })).toMatchObject({
      error: { code: -32021 },
    });
    expect(await post({ name: "own_ask", arguments: { ...FORM, by: "2026" } })).toMatchObject({
      result: { content: [{ text: expect.stringContaining('"error":{"code":-32601') }] },
    });
  });

  test("each round is a case of its own on the record", async () => {
    const args = { by: "record" };
    const requestState = await stateOf(args);
    await post({ name: "modern_needs_input", arguments: args, inputResponses, requestState });
    const { cases } = (await readApi(gateway, "/api/v1/cases")) as {
      cases: { reason_id: string; state: string }[];
    };
    expect(cases.slice(0, 2)).toMatchObject([
      { state: "SUCCEEDED", reason_id: "upstream.answered" },
      { state: "FAILED", reason_id: "upstream.input_requested" },
    ]);
  });
});
