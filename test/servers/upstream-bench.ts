import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpUpstreamConfig, StdioUpstreamConfig } from "../../src/config/config.ts";
import { sha256 } from "../../src/domain/digest.ts";
import type { GuardStore } from "../../src/governance/ports.ts";
import { type RecordedCall, recordedCalls } from "./counting-upstream.ts";

const SERVER = join(import.meta.dirname, "counting-upstream.ts");

/** Files and configurations of one counting upstream; `dispose` removes the folder. */
export interface UpstreamBench {
  readonly dir: string;
  readonly recordFile: string;
  readonly controlFile: string;
  /** What reached the upstream. */
  calls(): readonly RecordedCall[];
  /** Changes what the upstream lists from now on. */
  control(content: object): void;
  file(name: string): string;
  /** @param args more arguments for the server */
  stdio(over?: Partial<StdioUpstreamConfig>, args?: readonly string[]): StdioUpstreamConfig;
  http(url: string, over?: Partial<HttpUpstreamConfig>): HttpUpstreamConfig;
  dispose(): void;
}

export function createUpstreamBench(): UpstreamBench {
  const dir = mkdtempSync(join(tmpdir(), "atlas-upstream-"));
  const recordFile = join(dir, "record.jsonl");
  const controlFile = join(dir, "control.json");
  const base = {
    name: "counting",
    prefix: "",
    resources: ["*"],
    callDeadlineMs: 20_000,
    connectDeadlineMs: 20_000,
    trusted: false,
    observe: false,
    safeToRepeat: [],
    firstSight: "accept" as const,
    fingerprint: sha256("counting"),
  };
  return {
    dir,
    recordFile,
    controlFile,
    calls: () => recordedCalls(recordFile),
    control: (content) => writeFileSync(controlFile, JSON.stringify(content)),
    file: (name) => join(dir, name),
    stdio: (over, args = []) => ({
      ...base,
      kind: "stdio",
      isolation: "agent",
      command: process.execPath,
      args: [SERVER, "--record", recordFile, "--control", controlFile, ...args],
      cwd: null,
      env: {},
      ...over,
    }),
    http: (url, over) => ({
      ...base,
      kind: "http",
      isolation: "shared",
      transport: "streamable",
      url,
      headers: {},
      ...over,
    }),
    dispose: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export interface RecordingGuardStore extends Pick<GuardStore, "recordUpstream" | "recordTools"> {
  /** Commands in the order they were acknowledged: `upstream NAME`, `tools NAME`. */
  readonly log: readonly string[];
  /** Pins as last recorded, by `upstream/tool`. */
  readonly pins: ReadonlyMap<string, string>;
}

/** The part of the store that upstreams write to. */
export function createRecordingGuardStore(): RecordingGuardStore {
  const log: string[] = [];
  const pins = new Map<string, string>();
  return {
    log,
    pins,
    recordUpstream: async ({ name }) => {
      log.push(`upstream ${name}`);
    },
    recordTools: async ({ upstream, tools }) => {
      for (const tool of tools) pins.set(`${upstream}/${tool.name}`, tool.pin);
      log.push(`tools ${upstream}`);
      return [];
    },
  };
}

export interface LogLine {
  readonly level: "debug" | "info" | "warn";
  readonly fields: { readonly [key: string]: unknown };
  readonly message: string;
}

/** A logger that keeps what it is told. */
export function createRecordingLog(): {
  readonly lines: readonly LogLine[];
  readonly debug: (fields: { readonly [key: string]: unknown }, message: string) => void;
  readonly info: (fields: { readonly [key: string]: unknown }, message: string) => void;
  readonly warn: (fields: { readonly [key: string]: unknown }, message: string) => void;
} {
  const lines: LogLine[] = [];
  const at = (level: LogLine["level"]) => (fields: { readonly [key: string]: unknown }, message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn") };
}

interface Wait {
  readonly ms: number;
  readonly release: () => void;
}

/** Delays that end when the test says so, or when their signal is aborted. */
export function createManualDelay(): {
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly waits: readonly Wait[];
} {
  const waits: Wait[] = [];
  return {
    waits,
    delay: async (ms, signal) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wait: Wait = { ms, release: resolve };
      waits.push(wait);
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
      await promise;
      waits.splice(waits.indexOf(wait), 1);
    },
  };
}
