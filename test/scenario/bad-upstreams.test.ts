import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCountingSse } from "../servers/counting-sse.ts";
import { type CountingHttp, recordedCalls, startCountingHttp } from "../servers/counting-upstream.ts";
import { readApi, refIn, type ToolResult, type WireAgent, wireAgent, words } from "./agent.ts";
import { runCommand } from "./command-line.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

const COUNTING_UPSTREAM = join(import.meta.dirname, "../servers/counting-upstream.ts");

/** What the bad upstream lists beside its usual tools: some misbehave, one has a schema that means nothing. */
const ADDED = [
  ...["huge_thing", "flood_thing", "stray_thing", "half_thing"].map((name) => ({
    name,
    inputSchema: { type: "object" },
  })),
  { name: "lying_thing", inputSchema: { type: "object", properties: { a: { type: "nonsense" } } } },
  {
    name: "unlike_thing",
    inputSchema: { type: "object" },
    outputSchema: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] },
  },
];

describe.each(["stdio", "streamable", "sse"] as const)("an upstream over %s", (wire) => {
  let gateway: Scenario;
  let agent: WireAgent;
  let server: Pick<CountingHttp, "url" | "port" | "close"> | null = null;
  let recordFile: string;
  let controlFile: string;
  let calls = 0;

  beforeAll(async () => {
    const start = wire === "sse" ? startCountingSse : startCountingHttp;
    const control = (folder: string): string => {
      recordFile = join(folder, "bad.jsonl");
      controlFile = join(folder, "control.json");
      writeFileSync(controlFile, JSON.stringify({ add: ADDED }));
      return controlFile;
    };
    const reserved = await start({ recordFile: "/dev/null" });
    const { port, url } = reserved;
    await reserved.close();
    gateway = await openScenario({
      yaml: (folder) => {
        const file = control(folder);
        const args = [COUNTING_UPSTREAM, "--record", recordFile, "--control", file];
        const at = wire === "stdio" ? { command: process.execPath, args } : { url, transport: wire };
        return `
upstreams:
  bad: ${JSON.stringify({ ...at, call_deadline: "3s" })}
  patient: ${JSON.stringify({ ...at, call_deadline: "120s" })}
  ${countingUpstream({ name: "good", recordFile: join(folder, "good.jsonl") })}
policy: [{ verdict: allow }]
max_result: 1MiB
`;
      },
    });
    if (wire !== "stdio") server = await start({ recordFile, controlFile, port });
    agent = wireAgent(gateway);
    await eventually(expectUp);
  });
  afterAll(async () => {
    await gateway.close();
    await server?.close();
  });

  async function expectUp(): Promise<void> {
    const listed = await readApi(gateway, "/api/v1/upstreams");
    expect(listed).toMatchObject({ upstreams: [{ status: "up" }, { status: "up" }, {}] });
  }

  /** Calls the bad upstream while the good one answers another call, which must not notice. */
  async function callBeside(tool: string, args: object = {}, upstream = "bad"): Promise<ToolResult> {
    calls += 1;
    const file = join(gateway.folder, `go-${calls}`);
    const other = agent.call("good_slow_thing", JSON.stringify({ until_file: file }));
    try {
      return await agent.call(`${upstream}_${tool}`, JSON.stringify({ ...args, call: calls }));
    } finally {
      writeFileSync(file, "");
      expect(words(await other)).toBe("slow done");
    }
  }

  const reasonOf = (result: ToolResult): unknown => result["_meta"];
  const because = (reason_id: string): object => ({ "atlas-gateway/case": { reason_id } });

  async function expectGood(): Promise<void> {
    await eventually(async () => {
      expect(words(await callBeside("read_thing"))).toBe("read_thing done");
    });
  }

  test("that crashes during a call", async () => {
    expect(reasonOf(await callBeside("die_after"))).toMatchObject(because("upstream.disconnected"));
    expect(recordedCalls(recordFile).filter((call) => call.tool === "die_after")).toHaveLength(1);
    await expectGood();
  });

  test("that breaks off its answer", async () => {
    expect(reasonOf(await callBeside("half_thing"))).toMatchObject(because("upstream.disconnected"));
    await expectGood();
  });

  test("that hangs, and that answers too late", async () => {
    expect(reasonOf(await callBeside("slow_thing"))).toMatchObject(because("upstream.timeout"));
    expect(reasonOf(await callBeside("slow_thing", { ms: 3_500 }))).toMatchObject(
      because("upstream.timeout"),
    );
    await expectGood();
  });

  test("that answers another request than ours", async () => {
    // Streamable HTTP answers on the request's own exchange, which ends with the stray answer.
    const reason = wire === "streamable" ? "upstream.disconnected" : "upstream.timeout";
    expect(reasonOf(await callBeside("stray_thing"))).toMatchObject(because(reason));
    await expectGood();
  });

  test("that answers with 100 MB", async () => {
    const result = await callBeside("huge_thing", { bytes: 100_000_000 }, "patient");
    expect(reasonOf(result)).toMatchObject(because("upstream.result_too_large"));
    expect(words(result)).toContain("The call ran");
    const { cases } = (await readApi(gateway, "/api/v1/cases?state=SUCCEEDED")) as {
      cases: readonly { readonly tool: string; readonly reason_id: string }[];
    };
    expect(cases).toContainEqual(
      expect.objectContaining({ tool: "huge_thing", reason_id: "upstream.result_too_large" }),
    );
    await expectGood();
  });

  test("that floods with notifications of nearly a megabyte each", async () => {
    const result = await callBeside("flood_thing", { lines: 48, bytes: 900_000 }, "patient");
    expect(words(result)).toBe("flooded");
  });

  test("whose input schema means nothing: a human decides", async () => {
    const result = await callBeside("lying_thing");
    refIn(result);
    expect(reasonOf(result)).toMatchObject(because("tool.schema_unusable"));
  });

  test("whose result is not what its output schema says: the client gets it as it is", async () => {
    expect(await callBeside("unlike_thing")).toMatchObject({ content: [{ text: "unlike_thing done" }] });
  });

  test("that changes its tools: a human decides", async () => {
    const change = { write_thing: { description: "Now deletes things." } };
    writeFileSync(controlFile, JSON.stringify({ add: ADDED, change }));
    await eventually(async () => {
      const result = await callBeside("write_thing", { again: calls });
      expect(reasonOf(result)).toMatchObject(because("tool.changed"));
    });
  });

  test("is told of by the API and the command line", async () => {
    const listed = {
      name: "bad",
      transport: wire,
      isolation: wire === "stdio" ? "agent" : "shared",
      protocol_version: "2025-11-25",
      tools: 11 + ADDED.length,
      since: expect.stringMatching(/^\d{4}-/),
    };
    expect(await readApi(gateway, "/api/v1/upstreams")).toMatchObject({
      upstreams: [listed, { name: "patient" }, { name: "good" }],
    });
    const where = ["--url", gateway.url, "--reviewer-token", gateway.reviewerToken];
    const printed = await runCommand(["upstreams", ...where]);
    expect(printed.stdout).toMatch(
      new RegExp(`^(up|down|connecting) +bad +${wire}/${listed.isolation} `, "m"),
    );
    expect(printed.stdout).toMatch(/^up +good +stdio\/agent +2025-11-25 +11 tools {2}since /m);
    if (server === null) return;
    await server.close();
    await eventually(async () => {
      expect(await readApi(gateway, "/api/v1/upstreams")).toMatchObject({
        upstreams: [{ ...listed, status: "down", reason: expect.any(String) }, {}, { status: "up" }],
      });
    });
    expect(reasonOf(await callBeside("read_thing"))).toMatchObject(because("upstream.unreachable"));
    server = null;
  });
});
