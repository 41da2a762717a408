import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { COMPILE_CACHE } from "../servers/gateway-process.ts";
import { approve, callText, readApi, refIn, type ToolResult, wireAgent, words } from "./agent.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

const ATLAS = join(import.meta.dirname, "../../bin/atlas.js");
const INFO = { name: "stdio-client", version: "1.0.0" };
const REVISION = "2026-07-28";
const MODERN_META = `{"io.modelcontextprotocol/protocolVersion":"${REVISION}","io.modelcontextprotocol/clientCapabilities":{}}`;

let gateway: Scenario;
let liveCalls: string;
let heldCalls: string;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      liveCalls = join(folder, "live.jsonl");
      heldCalls = join(folder, "held.jsonl");
      return yaml(liveCalls, heldCalls);
    },
  });
});
afterAll(() => gateway.close());

function yaml(live: string, held: string): string {
  return `
upstreams:
  ${countingUpstream({ name: "live", recordFile: live })}
  ${countingUpstream({ name: "held", recordFile: held })}
policy:
  - { upstream: live, verdict: allow }
  - { upstream: held, verdict: review }
`;
}

interface SdkClient {
  toolNames(): Promise<readonly string[]>;
  call(name: string, args: Record<string, unknown>): Promise<ToolResult>;
  close(): Promise<void>;
}

interface Launch {
  readonly args: readonly string[];
  readonly key: string;
}

function serverOf({ args, key }: Launch) {
  const env = { ATLAS_API_KEY: key, NODE_COMPILE_CACHE: COMPILE_CACHE };
  return { command: process.execPath, args: [ATLAS, ...args], env, stderr: "ignore" as const };
}

async function connectV1(launch: Launch): Promise<SdkClient> {
  const client = new ClientV1(INFO);
  await client.connect(new StdioV1(serverOf(launch)));
  return sdkClient(client);
}

async function connectV2(launch: Launch, mode: "legacy" | "auto"): Promise<SdkClient> {
  const client = new ClientV2(INFO, { versionNegotiation: { mode } });
  await client.connect(new StdioV2(serverOf(launch)));
  expect(client.getNegotiatedProtocolVersion() === REVISION).toBe(mode === "auto");
  return sdkClient(client);
}

function sdkClient(client: ClientV1 | ClientV2): SdkClient {
  return {
    toolNames: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (name, args) => (await client.callTool({ name, arguments: args })) as ToolResult,
    close: () => client.close(),
  };
}

const CLIENTS = [
  { client: "SDK v1", id: "v1", connect: connectV1 },
  { client: "SDK v2, initialized", id: "v2", connect: (launch: Launch) => connectV2(launch, "legacy") },
  { client: `SDK v2, ${REVISION}`, id: "v2-modern", connect: (launch: Launch) => connectV2(launch, "auto") },
];

describe.each(CLIENTS)("$client over stdio", ({ id, connect }) => {
  let agent: SdkClient;

  beforeAll(async () => {
    const key = await gateway.addAgent(`stdio-${id}`);
    agent = await connect({ args: ["connect", "--data", gateway.dataDir], key });
  });
  afterAll(() => agent.close());

  test("lists the tools and gets the result of an allowed call", async () => {
    expect(await agent.toolNames()).toEqual(expect.arrayContaining(["check_status", "live_read_thing"]));
    expect(words(await agent.call("live_read_thing", {}))).toBe("read_thing done");
  });

  test("a call that waits for a human runs once it is approved, and its result is asked for", async () => {
    const ref = refIn(await agent.call("held_write_thing", { text: id }));
    const runs = () => recordedCalls(heldCalls).filter((call) => call.arguments === `{"text":"${id}"}`);
    expect(runs()).toHaveLength(0);
    await approve(gateway, ref);
    await eventually(async () => {
      const status = await agent.call("check_status", { ref, wait_seconds: 5 });
      expect(words(status)).toContain("write_thing done");
    });
    expect(runs()).toHaveLength(1);
  });

  test("does not notice that the gateway was restarted, on another port", async () => {
    await agent.toolNames();
    const before = gateway.url;
    await gateway.stop();
    await gateway.start();
    expect(gateway.url).not.toBe(before);
    expect(words(await agent.call("live_read_thing", {}))).toBe("read_thing done");
  });
});

test.each(CLIENTS)("$client is told in words that its key is wrong", async ({ connect }) => {
  const launch = { args: ["connect", "--data", gateway.dataDir], key: "atlas_agent_nobody" };
  await expect(connect(launch)).rejects.toThrow(/does not accept this agent's key\. Give a valid one/);
});

/** A bridge process without an SDK: what it gets and gives are bytes. */
interface BridgeProcess {
  send(line: string): void;
  /** The line that answers this id. */
  answer(id: number): Promise<string>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Closes its input and waits for its end. @returns the exit code */
  end(): Promise<number | null>;
}

const children = new Set<ChildProcessWithoutNullStreams>();
const servers = new Set<Server>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  for (const server of servers) server.close();
  children.clear();
  servers.clear();
});

function startBridge(args: readonly string[], key?: string): BridgeProcess {
  const child = spawn(process.execPath, [ATLAS, ...args], {
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, ATLAS_API_KEY: key },
  });
  children.add(child);
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  const closed = once(child, "close") as Promise<[number | null]>;
  const answers = () => said.stdout.split("\n").filter((line) => line !== "");
  return {
    send: (line) => void child.stdin.write(`${line}\n`),
    answer: async (id) => {
      const find = () => answers().find((line) => (JSON.parse(line) as { id?: unknown }).id === id);
      await eventually(() => expect(find(), said.stderr).toBeDefined());
      return find() ?? "";
    },
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    end: async () => {
      child.stdin.end();
      const [code] = await closed;
      children.delete(child);
      return code;
    },
  };
}

function connectHere(): BridgeProcess {
  return startBridge(["connect", "--data", gateway.dataDir]);
}

function listText(id: number): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/list"}`;
}

describe("what the bridge carries", () => {
  test.each([
    { era: "2025", metaText: undefined, meta: null },
    { era: REVISION, metaText: `{"vendor":1.50,${MODERN_META.slice(1)}`, meta: '{"vendor":1.50}' },
  ])("arguments of the $era era reach the upstream byte for byte", async ({ era, metaText, meta }) => {
    const bridge = connectHere();
    const argumentsText = `{"text":"\\u00e9 é \\/ ${era}","n":1.50,"big":1e3,"":[]}`;
    const tool = "live_write_thing";
    bridge.send(callText({ tool, argumentsText, idText: "7", ...(metaText !== undefined && { metaText }) }));
    expect(await bridge.answer(7)).toContain("write_thing done");
    const calls = recordedCalls(liveCalls).filter((call) => call.arguments === argumentsText);
    expect(calls).toMatchObject([{ tool: "write_thing", meta }]);
    expect(await bridge.end()).toBe(0);
  });

  test("answers are byte for byte the gateway's", async () => {
    const bridge = connectHere();
    bridge.send(listText(3));
    const direct = await wireAgent(gateway).post(listText(3));
    expect(await bridge.answer(3)).toBe(direct.messages[0]?.text);
    expect(await bridge.end()).toBe(0);
  });

  test("names that a header cannot hold are encoded, so that the gateway answers about the tool", async () => {
    const bridge = connectHere();
    for (const [index, tool] of ["wörk", " padded ", "=?base64?eA==?=", "tab\\there"].entries()) {
      const id = index + 1;
      bridge.send(callText({ tool, idText: String(id), metaText: MODERN_META }));
      expect(await bridge.answer(id)).toContain("tool.unknown");
    }
    expect(await bridge.end()).toBe(0);
  });

  test("notifications have no answer, empty lines are nothing, and what is not JSON gets the gateway's refusal", async () => {
    const bridge = connectHere();
    bridge.send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    bridge.send("  ");
    bridge.send("this is not JSON");
    expect(await bridge.end()).toBe(0);
    const lines = bridge.stdout().trim().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32600 }) }),
    ]);
  });

  test("a message that is too large is refused in words", async () => {
    const bridge = connectHere();
    bridge.send(callText({ tool: "live_write_thing", argumentsText: `{"text":"${"x".repeat(5_000_000)}"}` }));
    expect(await bridge.answer(1)).toContain("larger than 4 MiB");
    expect(await bridge.end()).toBe(0);
  });
});

describe("waiting", () => {
  function slowCall(id: number, untilFile: string): string {
    const argumentsText = JSON.stringify({ until_file: untilFile });
    return callText({ tool: "live_slow_thing", argumentsText, idText: String(id) });
  }

  test("a slow call holds up no other, and a cancelled one is not answered but runs on", async () => {
    const untilFile = join(gateway.folder, "cancelled");
    const bridge = connectHere();
    bridge.send(slowCall(1, untilFile));
    bridge.send(listText(2));
    await bridge.answer(2);
    bridge.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}');
    bridge.send(listText(3));
    await bridge.answer(3);
    writeFileSync(untilFile, "");
    expect(await bridge.end()).toBe(0);
    expect(bridge.stdout()).not.toContain('"id":1');
    await eventually(async () => {
      const succeeded = JSON.stringify(await readApi(gateway, "/api/v1/cases?state=SUCCEEDED"));
      expect(succeeded).toContain("live_slow_thing");
    });
  });

  test("the end of the input waits for the answers in flight", async () => {
    const untilFile = join(gateway.folder, "in-flight");
    const bridge = connectHere();
    bridge.send(slowCall(1, untilFile));
    bridge.send(listText(2));
    await bridge.answer(2);
    const ended = bridge.end();
    writeFileSync(untilFile, "");
    expect(await ended).toBe(0);
    expect(bridge.stdout()).toContain("slow done");
  });

  test("a subscription ends with its client", async () => {
    const bridge = connectHere();
    const params = `{"notifications":{"toolsListChanged":true},"_meta":${MODERN_META}}`;
    bridge.send(`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":${params}}`);
    await eventually(() => expect(bridge.stdout()).toContain("notifications/subscriptions/acknowledged"));
    expect(await bridge.end()).toBe(0);
  });

  test("a request made while the gateway is away is answered when it is back", async () => {
    const bridge = connectHere();
    await gateway.stop();
    bridge.send(listText(1));
    await eventually(() => expect(bridge.stderr()).toContain("No gateway is running on"));
    await gateway.start();
    expect(await bridge.answer(1)).toContain("live_read_thing");
    expect(await bridge.end()).toBe(0);
    expect(bridge.stderr()).toContain("reached again");
  });
});

describe("what goes wrong is said in words", () => {
  test("no gateway: each request is answered with what to do, and the bridge goes on", async () => {
    const nowhere = join(gateway.folder, "nowhere");
    const bridge = startBridge(["connect", "--data", nowhere]);
    bridge.send(listText(1));
    bridge.send(listText(2));
    const answers = [await bridge.answer(1), await bridge.answer(2)];
    for (const answer of answers) expect(answer).toMatch(/No gateway is running on .*Start one with/);
    expect(await bridge.end()).toBe(0);
    expect(bridge.stderr()).not.toMatch(/^\s+at /m);
  });

  test("a wrong key is not repeated anywhere", async () => {
    const key = "atlas_agent_not_to_be_seen";
    const bridge = startBridge(["connect", "--data", gateway.dataDir], key);
    bridge.send(listText(1));
    bridge.send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    expect(await bridge.answer(1)).toContain("does not accept this agent's key");
    expect(await bridge.end()).toBe(0);
    expect(bridge.stdout() + bridge.stderr()).not.toContain(key);
  });

  test.each([
    { args: ["--url", "localhost:8000"], sentence: /--url is not an address/ },
    { args: ["--url", "https://atlas.example.org"], sentence: /only for the gateway on this machine/ },
    { args: ["--agent-key", "two words"], sentence: /characters that no key has/ },
  ])("asked with $args it does not start", async ({ args, sentence }) => {
    const bridge = startBridge(["connect", "--data", gateway.dataDir, ...args]);
    expect(await bridge.end()).toBe(1);
    expect(bridge.stderr()).toMatch(sentence);
    expect(bridge.stdout()).toBe("");
  });

  async function serveAnswers(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    servers.add(server);
    await once(server, "listening");
    const address = server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  test.each([
    {
      status: 403,
      body: '{"error":{"message":"Not you."}}',
      sentence: /does not let this client in.*Not you/,
    },
    { status: 404, body: "nothing here", sentence: /There is no ATLAS gateway at/ },
    { status: 503, body: "", sentence: /did not take the message \(HTTP 503\)/ },
    { status: 200, body: "<html>", sentence: /is not an ATLAS gateway/ },
  ])("HTTP $status with $body becomes an error of the request", async ({ status, body, sentence }) => {
    const url = await serveAnswers((_request, response) => response.writeHead(status).end(body));
    const bridge = startBridge(["connect", "--url", `${url}/mcp/`], "any-key");
    bridge.send('{"jsonrpc":"2.0","id":"a b","method":"ping"}');
    expect(await bridge.end()).toBe(0);
    expect(JSON.parse(bridge.stdout())).toMatchObject({ id: "a b", error: { code: -32603 } });
    expect(bridge.stdout()).toMatch(sentence);
  });

  test("a request that may have been carried out is not sent again", async () => {
    let received = 0;
    const url = await serveAnswers((request) => {
      received++;
      request.resume().once("end", () => request.socket.destroy());
    });
    const bridge = startBridge(["connect", "--url", url], "any-key");
    bridge.send(callText({ tool: "live_write_thing" }));
    expect(await bridge.answer(1)).toMatch(/nobody knows here whether .* ask check_status/);
    expect(await bridge.end()).toBe(0);
    expect(received).toBe(1);
  });

  test("every message of a stream becomes one line, whatever the line ends", async () => {
    const first = '{"jsonrpc":"2.0", "method":"notifications/progress","params":{"progress":1.0}}';
    const stream = `: hello\r\nevent: message\r\ndata: ${first}\r\n\r\ndata:{"jsonrpc":"2.0",\ndata: "id":1,"result":{}}\n\ndata: {"cut`;
    const url = await serveAnswers((_request, response) =>
      response.writeHead(200, { "content-type": "text/event-stream" }).end(stream),
    );
    const bridge = startBridge(["connect", "--url", url], "any-key");
    bridge.send('{"jsonrpc":"2.0","id":1,"method":"ping"}');
    expect(await bridge.end()).toBe(0);
    expect(bridge.stdout()).toBe(`${first}\n{"jsonrpc":"2.0", "id":1,"result":{}}\n`);
  });
});

describe("atlas stdio", () => {
  let folder: string;
  let data: string;
  let config: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "atlas-stdio-"));
    data = join(folder, "data");
    config = join(folder, "atlas.yaml");
    writeFileSync(config, yaml(join(folder, "live.jsonl"), join(folder, "held.jsonl")));
  });
  afterAll(async () => {
    process.kill(gatewayPid(), "SIGTERM");
    // The last thing that a gateway does is to say that it has gone.
    await eventually(() => {
      if (existsSync(join(data, "gateway.json"))) throw new Error("the gateway has not ended yet");
    });
    rmSync(folder, { recursive: true, force: true });
  });

  function gatewayPid(): number {
    return (JSON.parse(readFileSync(join(data, "gateway.json"), "utf8")) as { pid: number }).pid;
  }

  function startStdio(): BridgeProcess {
    return startBridge(["stdio", "--config", config, "--data", data]);
  }

  test("two that start at once share the one gateway that comes of it, which outlives them", async () => {
    const bridges = [startStdio(), startStdio()];
    for (const bridge of bridges) bridge.send(listText(1));
    for (const bridge of bridges) expect(await bridge.answer(1)).toContain("held_write_thing");
    const said = bridges.map((bridge) => bridge.stderr()).join("");
    expect(said.match(/Started the ATLAS gateway/g)).toHaveLength(1);
    expect(said).toContain(`kill ${gatewayPid()}`);
    expect(said).not.toContain("atlas_agent_");
    for (const bridge of bridges) expect(await bridge.end()).toBe(0);

    const pid = gatewayPid();
    // It leads a process group of its own, so that a client that kills its group does not take it along.
    expect(process.kill(-pid, 0)).toBe(true);
    const third = startStdio();
    third.send(callText({ tool: "live_read_thing" }));
    expect(await third.answer(1)).toContain("read_thing done");
    expect(await third.end()).toBe(0);
    expect(third.stderr()).toBe("");
    expect(gatewayPid()).toBe(pid);
    expect(statSync(join(data, "gateway.log")).mode & 0o777).toBe(0o600);
  });

  test("an SDK client starts with it as its command", async () => {
    // An empty key is what clients' forms make of none.
    const client = await connectV1({ args: ["stdio", "--config", config, "--data", data], key: "" });
    expect(await client.toolNames()).toContain("live_read_thing");
    await client.close();
  });

  test("a gateway that cannot be started says why", async () => {
    const broken = join(folder, "broken.yaml");
    writeFileSync(broken, "upstreams: 7\n");
    const bridge = startBridge(["stdio", "--config", broken, "--data", join(folder, "broken")]);
    expect(await bridge.end()).toBe(1);
    expect(bridge.stderr()).toMatch(/could not be started\. It says: .*upstreams/s);
    expect(bridge.stdout()).toBe("");
  });
});
