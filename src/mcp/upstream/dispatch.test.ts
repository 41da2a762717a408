import { existsSync, writeFileSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startCountingSse } from "../../../test/servers/counting-sse.ts";
import {
  type CountingHttp,
  type Era,
  readBody,
  startCountingHttp,
} from "../../../test/servers/counting-upstream.ts";
import {
  createRecordingLog,
  createUpstreamBench,
  type UpstreamBench,
} from "../../../test/servers/upstream-bench.ts";
import type { UpstreamConfig } from "../../config/config.ts";
import { systemClock } from "../../domain/clock.ts";
import type { DispatchParams } from "../../governance/ports.ts";
import type { EraMemory } from "./connect.ts";
import { type Connection, openConnection } from "./connection.ts";

const WIRES = ["stdio legacy", "stdio modern", "http legacy", "http modern", "sse legacy"] as const;
const MAX_RESULT_BYTES = 1024 * 1024;

let bench: UpstreamBench;
let http: Pick<CountingHttp, "url" | "close"> | null;
let connection: Connection | null;
let era: EraMemory;

beforeEach(() => {
  bench = createUpstreamBench();
  http = null;
  connection = null;
  era = { verdict: null };
});

afterEach(async () => {
  await connection?.close();
  await http?.close();
  bench.dispose();
});

async function configOf(
  wire: (typeof WIRES)[number],
  over: { callDeadlineMs?: number } = {},
): Promise<UpstreamConfig> {
  if (wire.startsWith("stdio")) return bench.stdio(over, wire === "stdio modern" ? ["--era", "modern"] : []);
  const era: Era = wire === "http modern" ? "modern" : "legacy";
  const options = { recordFile: bench.recordFile, controlFile: bench.controlFile, era, pageSize: 3 };
  if (wire === "sse legacy") {
    http = await startCountingSse(options);
    return bench.http(http.url, { transport: "sse", ...over });
  }
  http = await startCountingHttp(options);
  return bench.http(http.url, over);
}

async function open(config: UpstreamConfig, probe = true): Promise<Connection> {
  const log = createRecordingLog();
  const params = {
    config,
    clock: systemClock,
    log,
    era,
    probe,
    client: null,
    maxResultBytes: MAX_RESULT_BYTES,
  };
  connection = await openConnection(params);
  return connection;
}

const call = (tool: string, over: Partial<DispatchParams> = {}): DispatchParams => ({
  tool,
  argumentsText: "{}",
  metaText: null,
  dispatchByMonotonicMs: systemClock.monotonicMs() + 60_000,
  ...over,
});

/** Everything that a parse and a stringify would change. */
const ODD_ARGUMENTS =
  '{"b":1.0,"10":"ten","2":"two","a":"\\u0041\\/\\ud83d\\ude00","e":1E5,"neg":-0,"nested":{"z":[1.50,{"y":null}],"1":{}},"s":"a\\"}{,["}';
const ODD_META = '{"z.example/trace":"\\u0061","10":1.0,"2":{"k":[ ]}}'.replace("[ ]", "[]");

describe.each(WIRES)("a connection over %s", (wire) => {
  test("lists every page of raw definitions", async () => {
    const tools = await (await open(await configOf(wire))).listTools();
    expect(tools).toHaveLength(11);
    expect(tools).toContainEqual(
      expect.objectContaining({
        name: "vendor_thing",
        "x-vendor": { lives: true },
        annotations: { readOnlyHint: false, vendorHint: "kept" },
      }),
    );
  });

  test("forwards the bytes of arguments and _meta as they are", async () => {
    const opened = await open(await configOf(wire));
    const outcome = await opened.dispatch(
      call("write_thing", { argumentsText: ODD_ARGUMENTS, metaText: ODD_META }),
    );
    expect(outcome.outcome.kind).toBe("answered");
    const [recorded] = bench.calls();
    expect(recorded?.arguments).toBe(ODD_ARGUMENTS);
    const meta = recorded?.meta ?? "";
    const theirs = ODD_META.slice(0, -1);
    expect(wire.endsWith("modern") ? meta.slice(0, theirs.length) : meta.slice(0, -1)).toBe(theirs);
    expect(Object.hasOwn(JSON.parse(meta), "io.modelcontextprotocol/protocolVersion")).toBe(
      wire.endsWith("modern"),
    );
    expect(JSON.stringify(recorded?.headers)).not.toContain("x-atlas");
  });

  test("sends no _meta of its own where the protocol needs none", async () => {
    await (await open(await configOf(wire))).dispatch(call("write_thing"));
    const meta = bench.calls()[0]?.meta;
    const envelope = expect.stringContaining('io.modelcontextprotocol/clientCapabilities":{}');
    expect(meta).toEqual(wire.endsWith("modern") ? envelope : null);
  });

  test("hands results through untouched", async () => {
    const { outcome } = await (await open(await configOf(wire))).dispatch(call("vendor_thing"));
    expect(outcome).toEqual({
      kind: "answered",
      result: {
        ...(wire.endsWith("modern") ? { resultType: "complete" } : {}),
        content: [
          { type: "x-vendor-block", payload: { deep: [1, { two: 2 }] }, unknown: true },
          { type: "text", text: "plain", annotations: { vendor: "kept" } },
        ],
        structuredContent: { b: 1, a: [null] },
        _meta: { "vendor.example/trace": { id: "t-1" } },
        "x-top-level": { kept: true },
      },
    });
  });

  test("hands isError, JSON-RPC errors and input_required through", async () => {
    const opened = await open(await configOf(wire));
    expect((await opened.dispatch(call("failing_thing"))).outcome).toMatchObject({
      kind: "answered",
      result: { isError: true },
    });
    expect((await opened.dispatch(call("error_thing"))).outcome).toEqual({
      kind: "protocol_error",
      error: { code: -32042, message: "the thing is broken", data: { why: "vendor reason", list: [1] } },
    });
    expect((await opened.dispatch(call("asks_back"))).outcome).toMatchObject({
      kind: "answered",
      result: { resultType: "input_required", requestState: "state-1" },
    });
  });

  test("reports progress to who listens, and asks for none otherwise", async () => {
    const opened = await open(await configOf(wire));
    const seen: unknown[] = [];
    await opened.dispatch(
      call("progress_thing", {
        metaText: '{"progressToken":"theirs","v":1.0}',
        onProgress: (p) => seen.push(p),
      }),
    );
    expect(seen).toEqual([
      { progress: 1, total: 2, message: "step 1", vendor: "kept" },
      { progress: 2, total: 2, message: "step 2", vendor: "kept" },
    ]);
    expect(bench.calls()[0]?.meta).toContain('"v":1.0');
    expect(bench.calls()[0]?.meta).not.toContain("theirs");
  });

  test("sends nothing when it is late", async () => {
    const opened = await open(await configOf(wire));
    const { outcome } = await opened.dispatch(
      call("write_thing", { dispatchByMonotonicMs: systemClock.monotonicMs() - 1 }),
    );
    expect(outcome).toMatchObject({ kind: "not_sent", late: true });
    await opened.dispatch(call("read_thing"));
    expect(bench.calls().map((recorded) => recorded.tool)).toEqual(["read_thing"]);
  });

  test("says that it does not know when the upstream dies before or after its work", async () => {
    const config = await configOf(wire);
    for (const tool of ["die_before", "die_after"]) {
      const { outcome } = await (await open(config)).dispatch(call(tool));
      expect(outcome).toEqual({ kind: "no_answer", cause: "disconnected" });
      await connection?.close();
    }
    expect(bench.calls().map((recorded) => recorded.tool)).toEqual(["die_after"]);
  });

  test("gives up at the deadline, and the connection stays good", async () => {
    const opened = await open(await configOf(wire, { callDeadlineMs: 400 }));
    const { outcome } = await opened.dispatch(call("slow_thing"));
    expect(outcome).toEqual({ kind: "no_answer", cause: "timeout" });
    expect((await opened.dispatch(call("read_thing"))).outcome.kind).toBe("answered");
  });

  test("stops waiting when the caller may and does withdraw", async () => {
    const opened = await open(await configOf(wire));
    const withdrawn = new AbortController();
    const answer = opened.dispatch(call("slow_thing", { signal: withdrawn.signal }));
    await vi.waitFor(() => expect(bench.calls()).toHaveLength(1));
    withdrawn.abort();
    expect((await answer).outcome).toEqual({ kind: "no_answer", cause: "disconnected" });
  });

  test("carries calls side by side", async () => {
    const opened = await open(await configOf(wire));
    const file = bench.file("go");
    const slow = opened.dispatch(call("slow_thing", { argumentsText: JSON.stringify({ until_file: file }) }));
    expect((await opened.dispatch(call("read_thing"))).outcome.kind).toBe("answered");
    writeFileSync(file, "");
    expect((await slow).outcome.kind).toBe("answered");
  });

  test("takes an answer up to the limit, and says of a larger one that it came", async () => {
    const opened = await open(await configOf(wire));
    const file = bench.file("go");
    const slow = opened.dispatch(call("slow_thing", { argumentsText: JSON.stringify({ until_file: file }) }));
    const answerOf = async (bytes: number): Promise<string> => {
      const argumentsText = JSON.stringify({ bytes });
      return (await opened.dispatch(call("huge_thing", { argumentsText }))).outcome.kind;
    };
    expect(await answerOf(MAX_RESULT_BYTES - 1_000)).toBe("answered");
    expect(await answerOf(MAX_RESULT_BYTES + 1_000)).toBe("too_large");
    expect(await answerOf(100 * MAX_RESULT_BYTES)).toBe("too_large");
    // The connection is as good as before, also for what was under way.
    writeFileSync(file, "");
    expect((await slow).outcome.kind).toBe("answered");
  });

  test("reads on after a flood of notifications", async () => {
    const opened = await open(await configOf(wire));
    const argumentsText = JSON.stringify({ lines: 96, bytes: 900 * 1024 });
    const { outcome } = await opened.dispatch(call("flood_thing", { argumentsText }));
    expect(outcome.kind).toBe("answered");
    expect((await opened.dispatch(call("read_thing"))).outcome.kind).toBe("answered");
  });

  test("takes no answer to another request for its own", async () => {
    const opened = await open(await configOf(wire, { callDeadlineMs: 700 }));
    const { outcome } = await opened.dispatch(call("stray_thing"));
    // Over HTTP an answer to anything else than the request that was posted is the end of the exchange.
    expect(outcome).toMatchObject({ kind: "no_answer" });
    expect((await opened.dispatch(call("read_thing"))).outcome.kind).toBe("answered");
  });

  test("says that it does not know when the answer breaks off", async () => {
    const { outcome } = await (await open(await configOf(wire))).dispatch(call("half_thing"));
    expect(outcome).toEqual({ kind: "no_answer", cause: "disconnected" });
    expect(bench.calls().map((recorded) => recorded.tool)).toEqual(["half_thing"]);
  });

  test("sends nothing on a connection that is closed", async () => {
    const opened = await open(await configOf(wire));
    await opened.close();
    expect(await opened.dispatch(call("write_thing"))).toMatchObject({
      outcome: { kind: "not_sent", late: false },
      stale: true,
    });
    expect(existsSync(bench.recordFile)).toBe(false);
  });
});

describe("HTTP answers", () => {
  let server: Server | null = null;

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = null;
  });

  /** An upstream that shakes hands and then answers calls as told. */
  async function upstreamAnswering(answer: RequestListener): Promise<string> {
    const listener = async (
      request: IncomingMessage,
      response: ServerResponse & { req: IncomingMessage },
    ) => {
      const body = await readBody(request);
      if (request.method !== "POST" || body.includes("server/discover")) return response.writeHead(405).end();
      if (body.includes('"tools/call"')) return answer(request, response);
      if (body.includes("notifications/")) return response.writeHead(202).end();
      const id: unknown = JSON.parse(body).id;
      const result = {
        protocolVersion: "2025-11-25",
        capabilities: {},
        serverInfo: { name: "odd", version: "1" },
      };
      response
        .writeHead(200, { "content-type": "application/json", "mcp-session-id": "one" })
        .end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    };
    server = createServer((request, response) => void listener(request, response));
    await new Promise<void>((resolve) => {
      server?.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}/` : "";
  }

  const rpcError = '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no","data":{"k":1}}}';
  test.each([
    [
      "a 400 with a JSON-RPC error",
      400,
      rpcError,
      { kind: "protocol_error", error: { code: -32000, message: "no", data: { k: 1 } } },
    ],
    ["a 500 with a page", 500, "<html>", { kind: "no_answer", cause: "disconnected" }],
    ["a 401", 401, "", { kind: "no_answer", cause: "disconnected" }],
    ["a redirect", 307, "", { kind: "no_answer", cause: "disconnected" }],
    ["a 202", 202, "", { kind: "no_answer", cause: "disconnected" }],
    ["broken JSON", 200, "{", { kind: "no_answer", cause: "disconnected" }],
    ["a 404 for the session", 404, "", { kind: "not_sent", late: false }],
  ])("%s", async (_what, status, body, expected) => {
    const url = await upstreamAnswering((_request, response) => {
      response.writeHead(status, { "content-type": "application/json", location: "/elsewhere" }).end(body);
    });
    const { outcome } = await (await open(bench.http(url))).dispatch(call("write_thing"));
    expect(outcome).toMatchObject(expected);
  });

  test("an answer that is too large is one", async () => {
    const url = await upstreamAnswering((_request, response) => {
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(`{"a":"${"x".repeat(11 * 1024 * 1024)}"}`);
    });
    const { outcome } = await (await open(bench.http(url))).dispatch(call("write_thing"));
    expect(outcome).toMatchObject({ kind: "too_large" });
  });

  test("an event stream that ends without the answer is no answer", async () => {
    const url = await upstreamAnswering((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).end(": nothing\n\n");
    });
    const { outcome } = await (await open(bench.http(url))).dispatch(call("write_thing"));
    expect(outcome).toEqual({ kind: "no_answer", cause: "disconnected" });
  });

  test("a refused connection means that nothing was sent", async () => {
    const config = await configOf("http modern");
    // What the upstream speaks is remembered, so that the next connection writes nothing before the call.
    await (await open(config)).close();
    const opened = await open(config, false);
    await http?.close();
    const { outcome } = await opened.dispatch(call("write_thing"));
    expect(outcome).toMatchObject({ kind: "not_sent", late: false });
    expect(bench.calls()).toEqual([]);
  });

  test("names method and tool in headers where the protocol asks for it", async () => {
    await (await open(await configOf("http modern"))).dispatch(call("write_thing"));
    expect(bench.calls()[0]?.headers).toMatchObject({
      "mcp-method": "tools/call",
      "mcp-name": "write_thing",
    });
  });

  test("mirrors arguments whose schema asks for it into headers", async () => {
    const opened = await open(await configOf("http modern"));
    const properties = {
      region: { type: "string", "x-mcp-header": "Region" },
      n: { type: "integer", "x-mcp-header": "N" },
    };
    const definition = { name: "write_thing", inputSchema: { type: "object", properties } };
    await opened.dispatch({
      ...call("write_thing", { argumentsText: '{"n":7,"region":"köln"}' }),
      definition,
    });
    expect(bench.calls()[0]?.headers).toMatchObject({
      "mcp-param-n": "7",
      "mcp-param-region": "=?base64?a8O2bG4=?=",
    });
  });

  test("only the operator's headers are sent", async () => {
    const config = await configOf("http legacy");
    if (config.kind !== "http") throw new Error("not http");
    const opened = await open({ ...config, headers: { authorization: "Bearer operator", "x-tenant": "t" } });
    await opened.dispatch(call("write_thing"));
    const { headers } = bench.calls()[0] ?? {};
    expect(headers).toMatchObject({ authorization: "Bearer operator", "x-tenant": "t" });
    expect(Object.keys(headers ?? {}).sort()).toEqual(
      [
        "accept",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "host",
        "mcp-protocol-version",
        "mcp-session-id",
        "x-tenant",
      ].sort(),
    );
  });
});
