import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { riskCommand } from "../../src/cli/risk.ts";
import { startFakeChatCompletions } from "../servers/fake-chat-completions.ts";
import { knows } from "../servers/model-reply.ts";

let folder = "";
let printed: string[] = [];
let exitCode = -1;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "atlas-risk-"));
  printed = [];
  exitCode = -1;
  vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const run = (...args: readonly string[]) =>
  riskCommand((code) => {
    exitCode = code;
  })
    .exitOverride()
    .parseAsync(["node", "risk", ...args]);

const ROWS = [
  { tool: "delete_case", arguments: {}, label: "escalate", source: "a", code: "E2", borderline: false },
  { tool: "send_letter", arguments: {}, label: "escalate", source: "b", code: "E3", borderline: true },
  { tool: "get_case", arguments: { id: "1" }, label: "approve", source: "a", code: "A" },
  { tool: "list_offices", label: "approve", source: "b" },
];

describe("atlas risk", () => {
  it("explains one call with every factor and its place", async () => {
    await run(
      "explain",
      "--tool",
      "request_payment_extension",
      "--arguments",
      '{"beneficiary_id":"BEN-123","reason":"Hardship"}',
    );
    expect(printed[0]).toMatch(/^85 {2}HIGH_RISK {2}PAUSE/u);
    expect(printed.join("\n")).toContain("money.requested");
  });

  it("asks the configuration's model too, and tells what it was shown", async () => {
    const server = await startFakeChatCompletions({ apiKey: null, reply: knows({ request_extension: 30 }) });
    try {
      const file = path.join(folder, "atlas.yaml");
      const model = `{ kind: ollama, model: x, base_url: ${server.baseUrl} }`;
      writeFileSync(file, `risk: { model: ${model} }\n`);
      const call = ["--tool", "request_extension", "--arguments", '{"days":7}'];
      await run("explain", "--model", "--config", file, ...call);
      expect(printed[0]).toMatch(/^30 {2}LOW {2}AUTO_APPROVE {2}\(ollama:x\+embedded@3\)/u);
      printed = [];
      await run("explain", "--model", "--config", file, "--json", ...call);
      const explained: { passes: readonly { shown: string }[] } = JSON.parse(printed[0] ?? "");
      expect(explained.passes.map(({ shown }) => shown.includes('\\"days\\":7'))).toEqual([false, true]);
      writeFileSync(file, "risk: { threshold: 70 }\n");
      await expect(run("explain", "--model", "--config", file, ...call)).rejects.toThrow("names no model");
    } finally {
      await server.close();
    }
  });

  it("benches labelled calls and draws them", async () => {
    const data = path.join(folder, "calls.jsonl");
    const svg = path.join(folder, "bench.svg");
    writeFileSync(data, ROWS.map((row) => JSON.stringify(row)).join("\n"));
    await run("bench", "--data", data, "--json", "--svg", svg, "--pack", "welfare");
    const report = JSON.parse(printed.join("\n")) as { readonly [key: string]: unknown };
    expect(report).toMatchObject({
      auc: 1,
      recallAt10: 1,
      atThreshold: { threshold: 70, recall: 1, falseEscalation: 0 },
      perSource: { a: { auc: 1 }, b: { auc: 1 } },
    });
    expect(typeof report["ece"]).toBe("number");
    expect(readFileSync(svg, "utf8")).toMatch(/^<svg /u);
  });

  it("leaves sources out one by one", async () => {
    const data = path.join(folder, "calls.jsonl");
    writeFileSync(data, ROWS.map((row) => JSON.stringify(row)).join("\n"));
    await run("bench", "--data", data, "--json", "--leave-one-source-out");
    expect(JSON.parse(printed.join("\n"))).toMatchObject({ auc: 1 });
  });

  it("refuses data that are no labelled calls, naming the line", async () => {
    const data = path.join(folder, "calls.jsonl");
    writeFileSync(data, '{"tool":"x","label":"maybe"}');
    await expect(run("bench", "--data", data)).rejects.toThrow(/Line 1/u);
  });

  it("ends with 0 when no payload lowers a score", async () => {
    await run("attack");
    expect(exitCode).toBe(0);
    expect(printed.at(-1)).toContain("no score went down");
  });
});
