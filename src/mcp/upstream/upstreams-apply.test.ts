import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  createManualDelay,
  createRecordingGuardStore,
  createRecordingLog,
  createUpstreamBench,
  type UpstreamBench,
} from "../../../test/servers/upstream-bench.ts";
import type { UpstreamConfig } from "../../config/config.ts";
import { systemClock } from "../../domain/clock.ts";
import { sha256 } from "../../domain/digest.ts";
import type { AgentId } from "../../domain/ids.ts";
import { createUpstreams, type RunningUpstreams } from "./upstreams.ts";

let bench: UpstreamBench;
let running: RunningUpstreams | null;
let store: ReturnType<typeof createRecordingGuardStore>;

beforeEach(() => {
  bench = createUpstreamBench();
  store = createRecordingGuardStore();
  running = null;
});

afterEach(async () => {
  await running?.close();
  bench.dispose();
});

async function started(...upstreams: readonly UpstreamConfig[]): Promise<RunningUpstreams> {
  running = createUpstreams({
    upstreams,
    store,
    clock: systemClock,
    log: createRecordingLog(),
    maxResultBytes: 1_000_000,
    tuning: {
      delay: createManualDelay().delay,
      random: () => 0,
      grace: { afterEofMs: 500, afterTermMs: 200 },
    },
  });
  await running.start();
  return running;
}

const call = (tool: string) => ({
  upstream: "counting",
  upstreamFingerprint: sha256("counting"),
  agentId: "alice-bot" as AgentId,
  session: "one",
  client: null,
  tool,
  argumentsText: "{}",
  metaText: null,
  dispatchByMonotonicMs: systemClock.monotonicMs() + 60_000,
});

const lastPid = (): number | undefined => bench.calls().at(-1)?.pid;

describe("apply", () => {
  test("leaves connections alone of what is configured as before", async () => {
    const config = bench.stdio();
    const upstreams = await started(config);
    await upstreams.dispatchLive(call("write_thing"));
    const pid = lastPid();
    await upstreams.apply([{ ...config }, bench.stdio({ name: "other", prefix: "o_" })]);
    await upstreams.dispatchLive(call("write_thing"));
    expect(lastPid()).toBe(pid);
    expect(upstreams.findTool("o_read_thing")?.upstream).toBe("other");
    expect(upstreams.health().map(({ upstream }) => upstream)).toEqual(["counting", "other"]);
  });

  test("lets calls in flight finish on an upstream that is taken away, and runs nothing new on it", async () => {
    const upstreams = await started(bench.stdio());
    const until = bench.file("go");
    const slow = upstreams.dispatchLive({
      ...call("slow_thing"),
      argumentsText: JSON.stringify({ until_file: until }),
    });
    await vi.waitFor(() => expect(bench.calls()).toHaveLength(1), { timeout: 40_000 });
    await upstreams.apply([]);
    expect(upstreams.listTools()).toEqual([]);
    expect(upstreams.deadlineMs("counting")).toBe(20_000);
    await expect(upstreams.openSession("counting")).rejects.toThrow("There is no upstream counting.");
    writeFileSync(until, "");
    expect(await slow).toMatchObject({ kind: "answered" });
  });

  test("sends a call that was claimed for an endpoint there and nowhere else", async () => {
    const moved = bench.stdio({ fingerprint: sha256("moved") });
    const upstreams = await started(bench.stdio());
    await upstreams.dispatchLive(call("write_thing"));
    const before = lastPid();
    await upstreams.apply([moved]);
    await upstreams.dispatchLive(call("write_thing"));
    const old = lastPid();
    await upstreams.dispatchLive({ ...call("write_thing"), upstreamFingerprint: sha256("moved") });
    expect(new Set([before, old, lastPid()]).size).toBe(3);
    expect(upstreams.findTool("write_thing")?.upstreamFingerprint).toBe(sha256("moved"));
    const nowhere = await upstreams.dispatchLive({
      ...call("write_thing"),
      upstreamFingerprint: sha256("elsewhere"),
    });
    expect(nowhere).toMatchObject({ kind: "not_sent", late: false });
    expect(store.log.filter((line) => line.startsWith("upstream"))).toHaveLength(2);
  });

  test("offers the tools under another prefix at once when the endpoint stays", async () => {
    const config = bench.stdio();
    const upstreams = await started(config);
    await upstreams.apply([{ ...config, prefix: "new_", env: { ROTATED: "secret" } }]);
    expect(upstreams.findTool("new_read_thing")).toBeDefined();
    expect(upstreams.findTool("read_thing")).toBeUndefined();
  });
});
