import { readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { measureApprovals } from "./approvals.ts";
import { type BenchClient, createClient } from "./client.ts";
import { startGatewayProcess } from "./gateway.ts";
import { type Block, cpuMs, median, quantile, rssMb, runBlock } from "./measure.ts";
import { startProcess } from "./process.ts";
import { pageOf, pictureOf, type Results, type TargetResult } from "./report.ts";
import { startUpstream } from "./upstream.ts";

const UPSTREAM_PORT = 4701;
const IN_FLIGHT = 64;
const BLOCKS = Number(process.env["ATLAS_BENCH_BLOCKS"] ?? 5);
const CALLS = 600;
const CLICKS = 40;
const HERE = import.meta.dirname;

interface Target {
  readonly name: string;
  readonly durability: string;
  readonly pid: number;
  readonly client: BenchClient;
  stop(): Promise<void>;
}

async function startFloor(
  name: string,
  durability: string,
  args: readonly string[],
  port: number,
): Promise<Target> {
  const floor = await startProcess(args, port);
  const client = createClient(`http://127.0.0.1:${port}/mcp`, null);
  return { name, durability, pid: floor.pid, client, stop: floor.stop };
}

async function startTargets(): Promise<readonly Target[]> {
  const floor = join(HERE, "floor.ts");
  const file = join(tmpdir(), `atlas-bench-${process.pid}.db`);
  const own = (kind: string, port: number) => [floor, kind, String(port), String(UPSTREAM_PORT), file];
  const targets = [
    await startFloor("floor: proxy", "none", own("proxy", 4711), 4711),
    await startFloor("floor: audit", "NORMAL", own("audit", 4712), 4712),
  ];
  const more = process.env["ATLAS_BENCH_FLOORS"];
  const files = more === undefined ? [] : readdirSync(more).filter((name) => /^floor-.*\.mjs$/.test(name));
  for (const [index, name] of files.entries()) {
    const port = 4720 + index;
    const args = [join(more ?? "", name), String(port), `http://127.0.0.1:${UPSTREAM_PORT}`];
    try {
      targets.push(await startFloor(name, "its own", args, port));
    } catch {
      console.error(`${name} does not start here`);
    }
  }
  return targets;
}

async function measure(target: Target, direct: BenchClient): Promise<TargetResult> {
  await target.client.open();
  for (const client of [direct, target.client]) await runBlock(client, CALLS, IN_FLIGHT);
  const alone: [Block, Block][] = [];
  const loaded: [Block, Block][] = [];
  let usedMs = 0;
  for (let block = 0; block < BLOCKS; block += 1) {
    alone.push([await runBlock(direct, CALLS / 3, 1), await runBlock(target.client, CALLS / 3, 1)]);
    const plain = await runBlock(direct, CALLS, IN_FLIGHT);
    const from = cpuMs(target.pid);
    loaded.push([plain, await runBlock(target.client, CALLS, IN_FLIGHT)]);
    usedMs += cpuMs(target.pid) - from;
  }
  return {
    target: target.name,
    durability: target.durability,
    addedP50Ms: median(alone.map(([plain, through]) => through.p50 - plain.p50)),
    p50Ratio: median(alone.map(([plain, through]) => through.p50 / plain.p50)),
    throughputRatio: median(loaded.map(([plain, through]) => through.perSecond / plain.perSecond)),
    cpuMs: usedMs / (BLOCKS * CALLS),
    rssMb: rssMb(target.pid),
  };
}

/** From the moment in which a decision is sent to the moment in which the call reaches the upstream. */
async function measureClicks() {
  let arrived: () => void = () => undefined;
  const upstream = startUpstream(4702, (tool) => {
    if (tool === "reviewed") arrived();
  });
  const gateway = await startGatewayProcess(4702, 4703);
  const client = createClient(`${gateway.url}/mcp`, gateway.agentKey);
  await client.open();
  const times: number[] = [];
  for (let click = 0; click < CLICKS; click += 1) {
    const ref = /evt_[a-z2-7]{32}/.exec(await client.call(`click ${click}`, "reviewed"))?.[0];
    const { promise, resolve } = Promise.withResolvers<void>();
    arrived = resolve;
    const headers = { authorization: `Bearer ${gateway.reviewerToken}`, "content-type": "application/json" };
    const body = JSON.stringify({ decision: "APPROVED", event_id: ref });
    const from = performance.now();
    const answer = await fetch(`${gateway.url}/webhook/approval`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(`the decision was refused: ${await answer.text()}`);
    await promise;
    times.push(performance.now() - from);
  }
  client.close();
  await gateway.stop();
  upstream.close();
  return { p50Ms: median(times), p95Ms: quantile(times, 0.95), count: CLICKS };
}

async function main(): Promise<void> {
  const upstream = await startProcess([join(HERE, "upstream.ts"), String(UPSTREAM_PORT)], UPSTREAM_PORT);
  const direct = createClient(`http://127.0.0.1:${UPSTREAM_PORT}/mcp`, null);
  const gateway = await startGatewayProcess(UPSTREAM_PORT, 4710);
  const client = createClient(`${gateway.url}/mcp`, gateway.agentKey);
  const atlas: Target = { name: "ATLAS", durability: "NORMAL", pid: gateway.pid, client, stop: gateway.stop };
  const targets = [...(await startTargets()), atlas];
  const measured: TargetResult[] = [];
  for (const target of targets) {
    measured.push(await measure(target, direct));
    console.log(JSON.stringify(measured.at(-1)));
  }
  for (const target of targets) {
    target.client.close();
    await target.stop();
  }
  direct.close();
  await upstream.stop();
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"} with a load average of ${(loadavg()[1] ?? 0).toFixed(1)}`,
    node: process.version,
    inFlight: IN_FLIGHT,
    targets: measured,
    approvals: await measureApprovals(),
    clickToDispatch: await measureClicks(),
  };
  writeFileSync(join(HERE, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(HERE, "../docs/performance.md"), pageOf(results));
  writeFileSync(join(HERE, "../docs/performance.svg"), pictureOf(results));
  console.log(pageOf(results));
}

await main();
