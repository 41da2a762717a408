import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startCountingSse } from "../../../test/servers/counting-sse.ts";
import { type CountingHttp, startCountingHttp } from "../../../test/servers/counting-upstream.ts";
import {
  createManualDelay,
  createRecordingGuardStore,
  createRecordingLog,
  createUpstreamBench,
  type UpstreamBench,
} from "../../../test/servers/upstream-bench.ts";
import type { UpstreamConfig } from "../../config/config.ts";
import { type Clock, systemClock } from "../../domain/clock.ts";
import { sha256, toolPin } from "../../domain/digest.ts";
import type { AgentId } from "../../domain/ids.ts";
import { createUpstreams, type RunningUpstreams, type UpstreamsTuning } from "./upstreams.ts";

const ALICE = "alice-bot" as AgentId;
const BOB = "bob-bot" as AgentId;

let bench: UpstreamBench;
let running: RunningUpstreams | null;
let http: Pick<CountingHttp, "url" | "port" | "close"> | null;
let store: ReturnType<typeof createRecordingGuardStore>;
let log: ReturnType<typeof createRecordingLog>;
let manual: ReturnType<typeof createManualDelay>;

beforeEach(() => {
  bench = createUpstreamBench();
  store = createRecordingGuardStore();
  log = createRecordingLog();
  manual = createManualDelay();
  running = null;
  http = null;
});

afterEach(async () => {
  await running?.close();
  await http?.close();
  bench.dispose();
});

function create(
  upstreams: readonly UpstreamConfig[],
  tuning: Partial<UpstreamsTuning> = {},
  clock: Clock = systemClock,
): RunningUpstreams {
  running = createUpstreams({
    upstreams,
    store,
    clock,
    log,
    maxResultBytes: 1024 * 1024,
    tuning: { delay: manual.delay, random: () => 0, grace: { afterEofMs: 500, afterTermMs: 200 }, ...tuning },
  });
  return running;
}

async function started(...upstreams: readonly UpstreamConfig[]): Promise<RunningUpstreams> {
  const created = create(upstreams);
  await created.start();
  return created;
}

const call = (tool: string, agentId = ALICE) => ({
  upstream: "counting",
  upstreamFingerprint: sha256("counting"),
  agentId,
  session: "one",
  client: null,
  tool,
  argumentsText: "{}",
  metaText: null,
  dispatchByMonotonicMs: systemClock.monotonicMs() + 60_000,
});

/** Ends the wait of that many milliseconds. */
async function release(ms: number): Promise<void> {
  const wait = await vi.waitFor(() => {
    const found = manual.waits.find((candidate) => candidate.ms === ms);
    if (found === undefined)
      throw new Error(`no wait of ${ms} ms among ${manual.waits.map((w) => w.ms).join()}`);
    return found;
  });
  wait.release();
}

const lastPid = (): number | undefined => bench.calls().at(-1)?.pid;

describe("the catalog", () => {
  test("offers tools under prefix and name once they are recorded", async () => {
    const upstreams = await started(bench.stdio({ prefix: "c_", safeToRepeat: ["read_thing"] }));
    expect(store.log).toEqual(["upstream counting", "tools counting"]);
    const tool = upstreams.findTool("c_vendor_thing");
    expect(tool).toMatchObject({ upstream: "counting", name: "vendor_thing", safeToRepeat: false });
    expect(tool?.pin).toBe(toolPin(tool?.definition ?? {}));
    expect(store.pins.get("counting/vendor_thing")).toBe(tool?.pin);
    expect(upstreams.findTool("c_read_thing")?.safeToRepeat).toBe(true);
    expect(upstreams.findTool("read_thing")).toBeUndefined();
    expect(upstreams.listTools()).toHaveLength(11);
    expect(upstreams.health()).toMatchObject([{ status: "up", tools: 11, protocolVersion: "2025-11-25" }]);
  });

  test("does not offer what could not be recorded", async () => {
    const upstreams = create([bench.stdio()]);
    store.recordTools = async () => {
      throw new Error("disk full");
    };
    await upstreams.start();
    expect(upstreams.listTools()).toEqual([]);
    expect(upstreams.health()).toMatchObject([{ status: "down" }]);
  });

  test.each(["stdio", "streamable", "sse"] as const)("follows tools/list_changed over %s", async (wire) => {
    bench.control({});
    if (wire === "streamable") http = await startCountingHttp(bench);
    if (wire === "sse") http = await startCountingSse(bench);
    const upstreams = await started(
      wire === "stdio" ? bench.stdio() : bench.http(http?.url ?? "", { transport: wire }),
    );
    const before = upstreams.findTool("write_thing");
    const changed = vi.fn<() => void>();
    upstreams.onCatalogChange(changed);
    bench.control({ change: { write_thing: { description: "Now deletes things." } } });
    await release(200);
    await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 10_000 });
    const after = upstreams.findTool("write_thing");
    expect(after?.definition.description).toBe("Now deletes things.");
    expect(after?.pin).not.toBe(before?.pin);
    expect(store.pins.get("counting/write_thing")).toBe(after?.pin);
  });

  test("follows the subscription of a modern upstream", async () => {
    let description = "Writes.";
    const handler = createMcpHandler(() => {
      const server = new McpServer(
        { name: "sdk", version: "1" },
        { capabilities: { tools: { listChanged: true } } },
      );
      server.registerTool("write", { description }, () => ({ content: [] }));
      return server;
    });
    const server = serve({ fetch: (request) => handler.fetch(request), port: 0, hostname: "127.0.0.1" });
    try {
      await once(server, "listening");
      const address = server.address();
      if (typeof address !== "object" || address === null) throw new Error("no port");
      const upstreams = await started(bench.http(`http://127.0.0.1:${address.port}/`));
      expect(upstreams.health()).toMatchObject([{ status: "up", protocolVersion: "2026-07-28" }]);
      description = "Deletes.";
      await vi.waitFor(() => {
        // The subscription is opened beside the first listing, so the first word of it may be too early.
        handler.notify.toolsChanged();
        manual.waits.find((wait) => wait.ms === 200)?.release();
        expect(upstreams.findTool("write")?.definition.description).toBe("Deletes.");
      });
      await upstreams.close();
    } finally {
      await handler.close();
      server.close();
    }
  });

  test.each([
    ["streamable", startCountingHttp],
    ["sse", startCountingSse],
  ] as const)("notices that a %s upstream went away, and takes it in again", async (transport, start) => {
    http = await start({ ...bench, controlFile: null });
    const { port, url } = http;
    const upstreams = await started(bench.http(url, { transport }));
    await http.close();
    // A broken listening stream of Streamable HTTP says only that there may be news.
    if (transport === "streamable") await release(200);
    await vi.waitFor(() => expect(upstreams.health()).toMatchObject([{ status: "down", tools: 11 }]));
    expect(upstreams.listTools()).toHaveLength(11);
    http = await start({ ...bench, port });
    await release(125);
    await vi.waitFor(() => expect(upstreams.health()).toMatchObject([{ status: "up" }]));
  });

  test("takes in a server of the SDK's first version", async () => {
    const entry = join(
      import.meta.dirname,
      "../../../node_modules/@modelcontextprotocol/server-filesystem/dist/index.js",
    );
    writeFileSync(bench.file("note.txt"), "hello");
    const upstreams = await started(bench.stdio({ args: [entry, bench.dir] }));
    expect(upstreams.findTool("read_text_file")?.definition.outputSchema).toBeDefined();
    const argumentsText = JSON.stringify({ path: bench.file("note.txt") });
    expect(await upstreams.dispatchLive({ ...call("read_text_file"), argumentsText })).toMatchObject({
      kind: "answered",
      result: { structuredContent: { content: "hello" } },
    });
  });

  test("looks again at intervals", async () => {
    http = await startCountingHttp({ ...bench, controlFile: null, era: "modern" });
    const upstreams = await started(bench.http(http.url));
    expect(upstreams.health()).toMatchObject([{ status: "up", protocolVersion: "2026-07-28" }]);
    await release(5 * 60_000);
    await vi.waitFor(() =>
      expect(store.log).toEqual(["upstream counting", "tools counting", "tools counting"]),
    );
  });

  test("is ready while an upstream is down, and takes it in when it comes", async () => {
    const down = bench.stdio({ name: "down", command: "/no/such/command" });
    http = await startCountingHttp(bench);
    const late = http;
    await http.close();
    const upstreams = await started(down, bench.http(late.url, { name: "late" }), bench.stdio());
    expect(upstreams.health().map((one) => one.status)).toEqual(["down", "down", "up"]);
    expect(upstreams.health()[0]?.reason).toBe(
      "Upstream down could not be reached: the command could not be started (ENOENT).",
    );
    expect(upstreams.findTool("read_thing")?.upstream).toBe("counting");
    http = await startCountingHttp({ ...bench, port: late.port });
    await vi.waitFor(() => expect(manual.waits.filter((wait) => wait.ms === 125)).toHaveLength(2));
    for (const wait of manual.waits.filter((candidate) => candidate.ms === 125)) wait.release();
    await vi.waitFor(() => expect(upstreams.findTool("read_thing")?.upstream).toBe("late"));
    await release(250);
  });

  test("does not wait for an upstream that never answers", async () => {
    const mute = bench.stdio({ name: "mute", args: ["-e", "setInterval(()=>{},1000)"] });
    const upstreams = create([mute, bench.stdio()]);
    const start = upstreams.start();
    await vi.waitFor(() => expect(upstreams.listTools()).toHaveLength(11), { timeout: 10_000 });
    await release(3_000);
    await start;
    expect(upstreams.health().map((one) => one.status)).toEqual(["connecting", "up"]);
  });
});

describe("live calls", () => {
  test("share a child for each agent", async () => {
    const upstreams = await started(bench.stdio());
    for (const agent of [ALICE, BOB, ALICE]) await upstreams.dispatchLive(call("write_thing", agent));
    const [alice, bob, again] = bench.calls().map((recorded) => recorded.pid);
    expect(again).toBe(alice);
    expect(bob).not.toBe(alice);
  });

  test("start a new child after a crash, later each time", async () => {
    // A clock that stands still, and backoffs that pass at once: what is tested is how long they would have been.
    const nowMs = systemClock.monotonicMs();
    const backoffs: number[] = [];
    const delay: UpstreamsTuning["delay"] = async (ms, signal) => {
      // The waits of the start and of the catalog are not backoffs.
      if (ms === 200 || ms >= 3_000) return manual.delay(ms, signal);
      backoffs.push(ms);
    };
    const upstreams = create([bench.stdio()], { delay }, { ...systemClock, monotonicMs: () => nowMs });
    await upstreams.start();
    for (let crash = 1; crash <= 4; crash += 1) {
      const outcome = await upstreams.dispatchLive(call("die_after"));
      expect(outcome).toEqual({ kind: "no_answer", cause: "disconnected" });
    }
    expect(new Set(bench.calls().map((recorded) => recorded.pid)).size).toBe(4);
    expect(backoffs).toEqual([...new Set(backoffs)].toSorted((x, y) => x - y));
    const soon = nowMs + 1;
    await vi.waitFor(async () => {
      const refused = await upstreams.dispatchLive({ ...call("read_thing"), dispatchByMonotonicMs: soon });
      expect(refused).toEqual({ kind: "not_sent", late: false, detail: "the upstream is being restarted" });
    });
  });

  test("are sent once more when the upstream had forgotten the session", async () => {
    const forgetful = await startCountingHttp({ ...bench, controlFile: null });
    http = forgetful;
    const upstreams = await started(bench.http(http.url));
    expect((await upstreams.dispatchLive(call("write_thing"))).kind).toBe("answered");
    forgetful.forgetSessions();
    expect((await upstreams.dispatchLive(call("write_thing"))).kind).toBe("answered");
    expect(bench.calls()).toHaveLength(2);
  });

  test("are not sent when the upstream cannot be reached", async () => {
    const upstreams = await started(bench.stdio({ command: "/no/such/command" }));
    expect(await upstreams.dispatchLive(call("write_thing"))).toMatchObject({
      kind: "not_sent",
      late: false,
    });
  });

  test("use a bounded number of connections", async () => {
    const upstreams = create([bench.stdio()], { maxLivePerUpstream: 1 });
    await upstreams.start();
    const slow = upstreams.dispatchLive(call("slow_thing"));
    await vi.waitFor(() => expect(bench.calls()).toHaveLength(1), { timeout: 40_000 });
    expect(await upstreams.dispatchLive(call("write_thing", BOB))).toMatchObject({
      kind: "not_sent",
      late: false,
    });
    await upstreams.close();
    expect((await slow).kind).toBe("no_answer");
  });

  test("leave no idle child behind", async () => {
    const upstreams = create([bench.stdio()], { idleMs: 0 });
    await upstreams.start();
    await upstreams.dispatchLive(call("write_thing"));
    const pid = lastPid();
    await release(0);
    await vi.waitFor(() => expect(() => process.kill(pid ?? 0, 0)).toThrow(/ESRCH/));
    await upstreams.dispatchLive(call("write_thing"));
    expect(lastPid()).not.toBe(pid);
  });
});

describe("openSession", () => {
  test("is a fresh child with freshly listed and recorded tools", async () => {
    const upstreams = await started(bench.stdio({ prefix: "p_" }));
    await upstreams.dispatchLive(call("write_thing"));
    const livePid = lastPid();
    const before = store.log.length;
    const session = await upstreams.openSession("counting");
    expect(store.log.slice(before)).toContain("tools counting");
    expect(session.tools.find((tool) => tool.name === "write_thing")?.exposedName).toBe("p_write_thing");
    expect((await session.dispatch(call("write_thing"))).kind).toBe("answered");
    expect(lastPid()).not.toBe(livePid);
    const pid = lastPid() ?? 0;
    await session.close();
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });

  test("sees a definition that changed without a word", async () => {
    http = await startCountingHttp({ ...bench, era: "modern" });
    const upstreams = await started(bench.http(http.url));
    const old = upstreams.findTool("write_thing")?.pin;
    bench.control({ change: { write_thing: { description: "Now deletes things." } } });
    const session = await upstreams.openSession("counting");
    const pin = session.tools.find((tool) => tool.name === "write_thing")?.pin;
    expect(pin).not.toBe(old);
    expect(store.pins.get("counting/write_thing")).toBe(pin);
    await session.close();
  });

  test("fails with a clear error when the upstream is down or unknown", async () => {
    const upstreams = await started(bench.stdio({ command: "/no/such/command", args: ["s3cret"] }));
    await expect(upstreams.openSession("counting")).rejects.toThrow(
      "Upstream counting could not be reached: the command could not be started (ENOENT).",
    );
    await expect(upstreams.openSession("other")).rejects.toThrow("There is no upstream other.");
  });

  test("nothing secret is logged", async () => {
    http = await startCountingHttp({ ...bench, controlFile: null });
    const { url } = http;
    const upstreams = await started(bench.http(url, { headers: { authorization: "Bearer s3cret-token" } }));
    await upstreams.dispatchLive({ ...call("error_thing"), argumentsText: '{"iban":"s3cret-iban"}' });
    await http.close();
    await upstreams.dispatchLive({ ...call("write_thing"), argumentsText: '{"iban":"s3cret-iban"}' });
    await vi.waitFor(() => expect(upstreams.health()).toMatchObject([{ status: expect.any(String) }]));
    expect(JSON.stringify([log.lines, upstreams.health()])).not.toContain("s3cret");
  });
});
