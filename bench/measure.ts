import { readFileSync } from "node:fs";
import type { BenchClient } from "./client.ts";

export interface Block {
  readonly p50: number;
  readonly perSecond: number;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Calls with so many in flight. Times in milliseconds. */
export async function runBlock(client: BenchClient, calls: number, inFlight: number): Promise<Block> {
  const times: number[] = [];
  let left = calls;
  const from = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left > 0) {
        left -= 1;
        const at = performance.now();
        await client.call(`${"x".repeat(64)}${left}`);
        times.push(performance.now() - at);
      }
    }),
  );
  return { p50: median(times), perSecond: (calls * 1000) / (performance.now() - from) };
}

/** User and system time of a process so far, in milliseconds; Linux only. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
