import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startCountingHttp } from "../../../test/servers/counting-upstream.ts";
import {
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

const ALICE = "alice-bot" as AgentId;
const BOB = "bob-bot" as AgentId;

let bench: UpstreamBench;
let running: RunningUpstreams | null;
let http: { close(): Promise<void> } | null;

beforeEach(() => {
  bench = createUpstreamBench();
  running = null;
  http = null;
});

afterEach(async () => {
  await running?.close();
  await http?.close();
  bench.dispose();
});

async function started(upstream: UpstreamConfig): Promise<RunningUpstreams> {
  running = createUpstreams({
    upstreams: [upstream],
    store: createRecordingGuardStore(),
    clock: systemClock,
    log: createRecordingLog(),
    maxResultBytes: 1024 * 1024,
    tuning: { grace: { afterEofMs: 500, afterTermMs: 200 } },
  });
  await running.start();
  return running;
}

const call = (tool: string, agentId = ALICE, session = "one") => ({
  upstream: "counting",
  upstreamFingerprint: sha256("counting"),
  agentId,
  session,
  client: null,
  tool,
  argumentsText: "{}",
  metaText: null,
  dispatchByMonotonicMs: systemClock.monotonicMs() + 60_000,
});

const lastPid = (): number | undefined => bench.calls().at(-1)?.pid;

/** Which child answered each of four calls: two sessions of one agent, the first again, and another agent. */
async function pidsOf(config: UpstreamConfig): Promise<readonly (number | undefined)[]> {
  const upstreams = await started(config);
  await upstreams.dispatchLive(call("write_thing", ALICE, "one"));
  await upstreams.dispatchLive(call("write_thing", ALICE, "two"));
  await upstreams.dispatchLive(call("write_thing", ALICE, "one"));
  // Sessions are told apart by their agents, too.
  await upstreams.dispatchLive(call("write_thing", BOB, "one"));
  return bench.calls().map((recorded) => recorded.pid);
}

test("shared: one connection for all", async () => {
  expect(new Set(await pidsOf(bench.stdio({ isolation: "shared" }))).size).toBe(1);
});

test("agent: one for each agent, whatever its sessions", async () => {
  const [one, two, again, bob] = await pidsOf(bench.stdio({ isolation: "agent" }));
  expect([two, again]).toEqual([one, one]);
  expect(bob).not.toBe(one);
});

test("session: one for each session of each agent", async () => {
  const [one, two, again, bob] = await pidsOf(bench.stdio({ isolation: "session" }));
  expect(again).toBe(one);
  expect(new Set([one, two, bob]).size).toBe(3);
});

test("session: over HTTP each has a session of the upstream's", async () => {
  const upstream = await startCountingHttp({ ...bench, controlFile: null });
  http = upstream;
  await pidsOf(bench.http(upstream.url, { isolation: "session" }));
  const [one, two, again, bob] = bench.calls().map((recorded) => recorded.headers?.["mcp-session-id"]);
  expect(again).toBe(one);
  expect(new Set([one, two, bob]).size).toBe(3);
});

test("a session's connection ends with it, after its call in flight", async () => {
  const upstreams = await started(bench.stdio({ isolation: "session" }));
  const file = bench.file("go");
  const slow = { ...call("slow_thing"), argumentsText: JSON.stringify({ until_file: file }) };
  const answer = upstreams.dispatchLive(slow);
  await vi.waitFor(() => expect(bench.calls()).toHaveLength(1), { timeout: 40_000 });
  const pid = lastPid() ?? 0;
  upstreams.endSession({ agentId: ALICE, session: "one" });
  upstreams.endSession({ agentId: BOB, session: "one" });
  expect((await upstreams.dispatchLive(call("read_thing"))).kind).toBe("answered");
  expect(lastPid()).not.toBe(pid);
  writeFileSync(file, "");
  expect((await answer).kind).toBe("answered");
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(/ESRCH/));
});
