import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  callText,
  onlyMessage,
  type WireAgent,
  type WireMessage,
  wireAgent,
  words,
} from "../scenario/agent.ts";
import { openEventStream } from "../scenario/event-stream.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { COMPILE_CACHE } from "../servers/gateway-process.ts";

const ATLAS = join(import.meta.dirname, "../../bin/atlas.js");
const MODERN = "2026-07-28";
const NEWEST_WITH_HANDSHAKE = "2025-11-25";
const HANDSHAKE_VERSIONS = ["2025-03-26", "2025-06-18", NEWEST_WITH_HANDSHAKE] as const;
const VERSIONS_WITHOUT_BATCHES = ["2025-06-18", NEWEST_WITH_HANDSHAKE, MODERN] as const;
const INFO = { name: "version-client", version: "1.0.0" };

let gateway: Scenario;
let agent: WireAgent;
let recordFile: string;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      recordFile = join(folder, "calls.jsonl");
      return `
upstreams:
  ${countingUpstream({ name: "live", recordFile })}
  ${countingUpstream({ name: "held", recordFile })}
policy: [{ upstream: live, tool: write_thing, verdict: deny }, { upstream: live, verdict: allow }, { verdict: review }]
`;
    },
  });
  agent = wireAgent(gateway);
});
afterAll(() => gateway.close());

function initializeText(version: string): string {
  const params = { protocolVersion: version, capabilities: {}, clientInfo: INFO };
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
}

const LIST = '{"jsonrpc":"2.0","id":2,"method":"tools/list"}';
const INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
/** Three calls: one that runs, one that policy denies, one for a human. */
const BATCH = `[${[
  callText({ tool: "live_read_thing", argumentsText: '{"text":"of a batch"}', idText: "1" }),
  callText({ tool: "live_write_thing", idText: '"two"' }),
  callText({ tool: "held_write_thing", idText: "3" }),
].join(",")}]`;

const runsOf = (text: string) =>
  recordedCalls(recordFile).filter((call) => call.arguments?.includes(text) === true).length;

describe.each(HANDSHAKE_VERSIONS)("revision %s", (version) => {
  const header = { "mcp-protocol-version": version };

  test("is answered with itself over /mcp, and serves", async () => {
    const { result } = onlyMessage(await agent.post(initializeText(version)));
    expect(result).toMatchObject({ protocolVersion: version, serverInfo: { name: "atlas-gateway" } });
    expect((await agent.post(INITIALIZED, header)).status).toBe(202);
    expect(onlyMessage(await agent.post(LIST, header)).result).toHaveProperty("tools");
    const called = onlyMessage(await agent.post(callText({ tool: "live_read_thing" }), header));
    expect(words(called.result ?? {})).toBe("read_thing done");
    const ping = await agent.post('{"jsonrpc":"2.0","id":4,"method":"ping"}', header);
    expect(onlyMessage(ping).result).toEqual({});
  });

  test("is answered with itself over /mcp/sse, and serves", async () => {
    const stream = await openEventStream(gateway, gateway.agentKey);
    const endpoint = await stream.endpoint();
    const send = async (body: string) => {
      const headers = { authorization: `Bearer ${gateway.agentKey}`, "content-type": "application/json" };
      expect((await fetch(gateway.url + endpoint, { method: "POST", headers, body })).status).toBe(202);
    };
    await send(initializeText(version));
    expect((await stream.next()).result).toMatchObject({ protocolVersion: version });
    await send(INITIALIZED);
    await send(LIST);
    expect((await stream.next()).result).toHaveProperty("tools");
    await stream.close();
  });

  const TRANSPORTS = ["/mcp", "/mcp/sse", "atlas stdio"] as const;
  test.each(TRANSPORTS)("is what a client that speaks nothing else gets over %s", async (transport) => {
    const client = new Client(INFO, { supportedProtocolVersions: [version] });
    await client.connect(transportOf(transport));
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    const result = await client.callTool({ name: "live_read_thing", arguments: {} });
    expect(result.content).toEqual([{ type: "text", text: "read_thing done" }]);
    await client.close();
  });
});

function transportOf(name: "/mcp" | "/mcp/sse" | "atlas stdio") {
  const withKey = (url: string | URL, init?: RequestInit) => {
    const headers = new Headers(init?.headers);
    headers.set("authorization", `Bearer ${gateway.agentKey}`);
    return fetch(url, { ...init, headers });
  };
  switch (name) {
    case "/mcp":
      return new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { fetch: withKey });
    case "/mcp/sse":
      return new SSEClientTransport(new URL(`${gateway.url}/mcp/sse`), { fetch: withKey });
    case "atlas stdio":
      return new StdioClientTransport({ ...stdioCommand(), stderr: "ignore" });
    default:
      return name satisfies never;
  }
}

/** The gateway of the scenario runs on this data folder, so the bridge finds it and starts none. */
function stdioCommand() {
  const config = join(gateway.folder, "atlas.yaml");
  return {
    command: process.execPath,
    args: [ATLAS, "stdio", "--config", config, "--data", gateway.dataDir],
    env: { ATLAS_API_KEY: gateway.agentKey, NODE_COMPILE_CACHE: COMPILE_CACHE },
  };
}

describe("a version that the gateway does not know", () => {
  test.each(["1999-01-01", "2099-01-01", MODERN, "latest"])(
    "%s is answered to initialize with the newest that has a handshake",
    async (version) => {
      const { result } = onlyMessage(await agent.post(initializeText(version)));
      expect(result).toMatchObject({ protocolVersion: NEWEST_WITH_HANDSHAKE });
    },
  );

  test.each(["1999-01-01", "2099-01-01", "latest", ""])("%j is refused as a header", async (version) => {
    const answer = await agent.post(LIST, { "mcp-protocol-version": version });
    expect(answer.status).toBe(400);
    expect(onlyMessage(answer).error).toBeDefined();
  });

  test("is refused in a request of the newer kind, which names those that would do", async () => {
    const answer = await agent.post(...modern("tools/list", {}, "2099-01-01"));
    expect(answer.status).toBe(400);
    expect(onlyMessage(answer).error).toMatchObject({
      code: -32022,
      data: { requested: "2099-01-01", supported: [MODERN] },
    });
  });

  test("makes a client that speaks nothing else give up", async () => {
    const client = new Client(INFO, { supportedProtocolVersions: ["1999-01-01"] });
    await expect(client.connect(transportOf("/mcp"))).rejects.toThrow(/protocol version/);
  });
});

describe("a batch", () => {
  test("of revision 2025-03-26 is governed call by call, over /mcp", async () => {
    const before = runsOf("of a batch");
    // Clients of that revision send no header; some send it all the same.
    for (const headers of [{}, { "mcp-protocol-version": "2025-03-26" }]) {
      const answers = (await agent.post(BATCH, headers)).messages;
      expectGoverned(answers);
    }
    expect(runsOf("of a batch")).toBe(before + 2);
  });

  test("of revision 2025-03-26 is governed call by call, over /mcp/sse", async () => {
    const { send, stream } = await openSession("2025-03-26");
    expect((await send(BATCH)).status).toBe(202);
    const answers: WireMessage[] = [];
    while (answers.length < 3) {
      const message = await stream.next();
      // News of the agent's cases come in between.
      if (message.method === undefined) answers.push(message);
    }
    expectGoverned(answers);
    await stream.close();
  });

  test("of revision 2025-03-26 is governed call by call, over atlas stdio", async () => {
    const bridge = spawn(stdioCommand().command, stdioCommand().args, {
      env: { ...process.env, ...stdioCommand().env },
    });
    const lines = createInterface({ input: bridge.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse(String((await lines.next()).value));
    bridge.stdin.write(`${initializeText("2025-03-26")}\n`);
    expect(await next()).toMatchObject({ result: { protocolVersion: "2025-03-26" } });
    bridge.stdin.write(`${INITIALIZED}\n${BATCH}\n`);
    expectGoverned([await next(), await next(), await next()]);
    await end(bridge);
  });

  test.each(VERSIONS_WITHOUT_BATCHES)("of revision %s is refused, and none of it runs", async (version) => {
    const before = recordedCalls(recordFile).length;
    const answer = await agent.post(BATCH, { "mcp-protocol-version": version });
    expect(answer.status).toBe(400);
    expect(onlyMessage(answer).error).toMatchObject({ code: -32600 });
    if (version !== MODERN) {
      const opened = await agent.post(initializeText(version));
      const session = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
      expect(session["mcp-session-id"]).not.toBe("");
      expect((await agent.post(BATCH, session)).status).toBe(400);
      const { send, stream } = await openSession(version);
      expect((await send(BATCH)).status).toBe(400);
      await stream.close();
    }
    expect(recordedCalls(recordFile)).toHaveLength(before);
  });

  test("does not smuggle in requests of the newer kind", async () => {
    const [body] = modern("tools/call", { name: "live_read_thing", arguments: { text: "smuggled" } });
    expect((await agent.post(`[${body}]`)).status).toBe(400);
    expect(runsOf("smuggled")).toBe(0);
  });

  test.each([
    ["that is empty", "[]"],
    ["with initialize in it", `[${initializeText("2025-03-26")},${LIST}]`],
    ["with initialize alone in it", `[${initializeText("2025-03-26")}]`],
    ["that is no list of messages", "[1,null]"],
    ["in a batch", `[[${LIST}]]`],
  ])("%s is refused", async (_name, body) => {
    expect((await agent.post(body)).status).toBe(400);
    const { send, stream } = await openSession("2025-03-26");
    expect((await send(body)).status).toBe(400);
    await stream.close();
  });

  function expectGoverned(answers: readonly { readonly id?: unknown }[]): void {
    const byId = new Map(answers.map((answer) => [answer.id, JSON.stringify(answer)]));
    expect(new Set(byId.keys())).toEqual(new Set([1, "two", 3]));
    expect(byId.get(1)).toContain("read_thing done");
    expect(byId.get("two")).toContain("policy.denied");
    expect(byId.get(3)).toContain("PENDING REVIEW");
  }
});

async function openSession(version: string) {
  const stream = await openEventStream(gateway, gateway.agentKey);
  const endpoint = await stream.endpoint();
  const headers = { authorization: `Bearer ${gateway.agentKey}`, "content-type": "application/json" };
  const send = (body: string) => fetch(gateway.url + endpoint, { method: "POST", headers, body });
  await send(initializeText(version));
  expect((await stream.next()).result).toMatchObject({ protocolVersion: version });
  await send(INITIALIZED);
  return { stream, send };
}

async function end(bridge: ChildProcessWithoutNullStreams): Promise<void> {
  const closed = once(bridge, "close");
  bridge.stdin.end();
  expect(await closed).toEqual([0, null]);
}

/** A request of revision 2026-07-28 with all its headers. */
function modern(
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  version: string = MODERN,
): [string, Record<string, string>] {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": INFO,
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 5, method, params: { ...params, _meta } });
  const name = params["name"];
  return [
    body,
    {
      "mcp-protocol-version": version,
      "mcp-method": method,
      ...(typeof name === "string" && { "mcp-name": name }),
    },
  ];
}

describe(`revision ${MODERN}`, () => {
  const CALL = { name: "live_read_thing", arguments: { text: "of 2026" } };

  test("says what it can do to server/discover, without a handshake", async () => {
    const { result } = onlyMessage(await agent.post(...modern("server/discover")));
    expect(result).toMatchObject({ resultType: "complete", supportedVersions: [MODERN] });
    expect(String(result?.["instructions"])).toContain("PENDING REVIEW");
  });

  test("lists for this agent only, and calls", async () => {
    const listed = onlyMessage(await agent.post(...modern("tools/list"))).result;
    expect(listed).toMatchObject({ resultType: "complete", cacheScope: "private" });
    const called = onlyMessage(await agent.post(...modern("tools/call", CALL))).result;
    expect(called).toMatchObject({ resultType: "complete" });
    expect(words(called ?? {})).toBe("read_thing done");
  });

  test.each([
    ["without the version", { "mcp-protocol-version": undefined }],
    ["with another version", { "mcp-protocol-version": NEWEST_WITH_HANDSHAKE }],
    ["with a version nobody knows", { "mcp-protocol-version": "2099-01-01" }],
    ["without the method", { "mcp-method": undefined }],
    ["with another method", { "mcp-method": "tools/list" }],
    ["without the name", { "mcp-name": undefined }],
    ["with another name", { "mcp-name": "live_write_thing" }],
  ])("refuses a call %s in its headers, and it does not run", async (_name, wrong) => {
    const [body, headers] = modern("tools/call", { ...CALL, arguments: { text: "mismatched" } });
    const sent = Object.entries({ ...headers, ...wrong }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const answer = await agent.post(body, Object.fromEntries(sent));
    expect(answer.status).toBe(400);
    expect(onlyMessage(answer).error).toMatchObject({ code: -32020 });
    expect(runsOf("mismatched")).toBe(0);
  });

  test("refuses a request without the metadata that takes the handshake's place", async () => {
    const answer = await agent.post(LIST, { "mcp-protocol-version": MODERN, "mcp-method": "tools/list" });
    expect(answer.status).toBe(400);
    expect(onlyMessage(answer).error).toMatchObject({ code: -32602 });
  });

  test.each(["initialize", "ping", "logging/setLevel", "resources/subscribe", "no/such"])(
    "has no method %s",
    async (method) => {
      const answer = await agent.post(...modern(method));
      expect(answer.status).toBe(404);
      expect(onlyMessage(answer).error).toMatchObject({ code: -32601 });
    },
  );

  test.each(["GET", "DELETE"])("has nothing for %s", async (method) => {
    const headers = { authorization: `Bearer ${gateway.agentKey}`, "mcp-protocol-version": MODERN };
    expect((await fetch(`${gateway.url}/mcp`, { method, headers })).status).toBe(405);
  });

  test.each(["/mcp", "atlas stdio"] as const)("is what a client pinned to it gets over %s", async (name) => {
    const client = new Client(INFO, { versionNegotiation: { mode: { pin: MODERN } } });
    await client.connect(transportOf(name));
    expect(client.getNegotiatedProtocolVersion()).toBe(MODERN);
    const result = await client.callTool({ name: "live_read_thing", arguments: {} });
    expect(result.content).toEqual([{ type: "text", text: "read_thing done" }]);
    await client.close();
  });

  test("is what a client chooses that can do both", async () => {
    const client = new Client(INFO, { versionNegotiation: { mode: "auto" } });
    await client.connect(transportOf("/mcp"));
    expect(client.getNegotiatedProtocolVersion()).toBe(MODERN);
    await client.close();
  });
});
