import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type RecordedCall, recordedCalls } from "../servers/counting-upstream.ts";
import {
  COMPILE_CACHE,
  type GatewayProcess,
  type GatewayProcessParams,
  runAtlas,
  startGatewayProcess,
} from "../servers/gateway-process.ts";
import { type CrashOrder, ORDER_VARIABLE, traceFile } from "./crash-order.ts";
import { type Agent, createAgent, createReviewer, type Reviewer } from "./people.ts";
import { processesWith } from "./processes.ts";
import { until } from "./until.ts";

const COUNTING_UPSTREAM = join(import.meta.dirname, "..", "servers", "counting-upstream.ts");
const CRASH_POINTS = join(import.meta.dirname, "crash-points.ts");

/** What the lab's policy says: this tool runs at once, and may not be run twice. */
export const LIVE_TOOL = "schema_thing";
/** Held for a person. */
export const HELD_TOOL = "write_thing";
/** Runs at once and answers when a file is there. */
export const SLOW_TOOL = "slow_thing";

const credentialsSchema = z.object({
  agent: z.object({ key: z.string() }),
  reviewer: z.object({ token: z.string() }),
});

const ledgerReportSchema = z.object({ counts: z.object({ gaps: z.number() }) });
type LedgerCounts = z.infer<typeof ledgerReportSchema>["counts"];

/** One data folder, the gateway on it, and everybody who talks to that gateway. */
export interface Laboratory {
  readonly dir: string;
  readonly launch: GatewayProcessParams;
  /** @throws Error when none is running. */
  gateway(): GatewayProcess;
  agent(): Agent;
  reviewer(): Reviewer;
  start(): Promise<void>;
  /** The next steps of the gateway are counted for this order. */
  order(order: CrashOrder): void;
  /** No crash from here on. @returns names of the steps since the order */
  withdrawOrder(): readonly string[];
  /** Names of the steps since the order. */
  steps(): readonly string[];
  /** kill -9 if the order has not done that, and waits until nothing of the gateway runs any more. */
  kill(): Promise<void>;
  /** What reached the upstream. */
  calls(): readonly RecordedCall[];
  upstreamPids(): readonly number[];
  /**
   * Verifies the ledger as it is at the moment of the call, so that a gateway may be started meanwhile.
   *
   * @throws Error with the report when `atlas ledger verify` does not end with 0.
   */
  verifyLedger(): Promise<LedgerCounts>;
  /** How often a gateway was started and served. */
  starts(): number;
  dispose(): Promise<void>;
}

export function createLaboratory(): Laboratory {
  const dir = mkdtempSync(join(tmpdir(), "atlas-crash-"));
  const dataDir = join(dir, "data");
  const orderFile = join(dir, "order.json");
  const recordFile = join(dir, "record.jsonl");
  const config = join(dir, "atlas.yaml");
  writeFileSync(config, JSON.stringify(configuration(recordFile)));
  const launch = {
    config,
    dataDir,
    preload: CRASH_POINTS,
    env: { [ORDER_VARIABLE]: orderFile, ATLAS_LOG_LEVEL: "warn" },
  };
  let running: GatewayProcess | null = null;
  let snapshots = 0;
  let starts = 0;
  let people: { readonly agent: Agent; readonly reviewer: Reviewer } | null = null;

  const gateway = (): GatewayProcess => {
    if (running === null) throw new Error("no gateway is running");
    return running;
  };
  const steps = (): readonly string[] => readLines(traceFile(orderFile));
  const kill = async (): Promise<void> => {
    if (running === null) return;
    // One that was stopped ends at a SIGKILL, too.
    running.signal("SIGKILL");
    await running.exited;
    running = null;
    await until("the dead gateway's upstreams end", () => processesWith(recordFile).length === 0);
  };

  return {
    dir,
    launch,
    gateway,
    agent: () => present(people).agent,
    reviewer: () => present(people).reviewer,
    start: async () => {
      running = await startGatewayProcess(launch);
      starts += 1;
      const credentials = readCredentials(dataDir);
      people = {
        agent: createAgent(running.url, credentials.agent.key),
        reviewer: createReviewer(running.url, credentials.reviewer.token),
      };
    },
    order: (order) => {
      rmSync(traceFile(orderFile), { force: true });
      // Renamed into place, so that the preload never reads half of it.
      writeFileSync(`${orderFile}.new`, JSON.stringify(order));
      renameSync(`${orderFile}.new`, orderFile);
    },
    withdrawOrder: () => {
      rmSync(orderFile, { force: true });
      return steps();
    },
    steps,
    kill,
    starts: () => starts,
    calls: () => recordedCalls(recordFile),
    upstreamPids: () => processesWith(recordFile),
    verifyLedger: async () => {
      snapshots += 1;
      const snapshot = join(dir, `snapshot-${snapshots}`);
      cpSync(dataDir, snapshot, { recursive: true });
      const { code, output } = await runAtlas(["ledger", "verify", "--data", snapshot, "--json"]);
      if (code !== 0) throw new Error(`atlas ledger verify ended with ${code}:\n${output}`);
      return ledgerReportSchema.parse(JSON.parse(output)).counts;
    },
    dispose: async () => {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function configuration(recordFile: string): object {
  return {
    upstreams: {
      counting: {
        command: process.execPath,
        args: [COUNTING_UPSTREAM, "--record", recordFile],
        env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
        prefix: "",
        // A loaded machine starts a child slowly; that is not what is tested here.
        connect_deadline: "60s",
      },
    },
    policy: [
      { id: "live", tool: LIVE_TOOL, verdict: "allow" },
      { id: "slow", tool: SLOW_TOOL, verdict: "allow" },
      { id: "held", tool: HELD_TOOL, verdict: "review" },
    ],
  };
}

function readCredentials(dataDir: string): z.infer<typeof credentialsSchema> {
  return credentialsSchema.parse(JSON.parse(readFileSync(join(dataDir, "first-credentials.json"), "utf8")));
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n").slice(0, -1);
  } catch {
    // Nothing was counted yet.
    return [];
  }
}

function present<Value>(value: Value | null): Value {
  if (value === null) throw new Error("the gateway was never started");
  return value;
}
