import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { approve, readApi, refIn, reject, type ToolResult, words } from "../scenario/agent.ts";
import { eventually } from "../scenario/eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { PROGRESS_UPSTREAM } from "./progress-upstream.ts";
import { connectSdk, type ListedTool, type Progress, SDK_CLIENTS, type SdkAgent } from "./sdk-agent.ts";

let gateway: Scenario;
let heldCalls: string;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      heldCalls = join(folder, "held.jsonl");
      return `
upstreams:
  ${countingUpstream({ name: "live", recordFile: join(folder, "live.jsonl") })}
  ${countingUpstream({ name: "held", recordFile: heldCalls })}
  steps: ${JSON.stringify({ command: process.execPath, args: [PROGRESS_UPSTREAM], prefix: "" })}
policy:
  - { upstream: live, verdict: allow }
  - { upstream: steps, verdict: allow }
  - { upstream: held, verdict: review }
`;
    },
  });
});
afterAll(() => gateway.close());

function expectFits(result: ToolResult, tool: ListedTool | undefined): void {
  const validate = new Ajv2020({ strict: false }).compile(tool?.outputSchema ?? false);
  expect(validate(result.structuredContent), JSON.stringify(validate.errors)).toBe(true);
}

function runsOf(text: string): number {
  return recordedCalls(heldCalls).filter((call) => call.arguments?.includes(text) === true).length;
}

describe.each(SDK_CLIENTS)("$client", (client) => {
  let agent: SdkAgent;
  let otherAgent: SdkAgent;

  beforeAll(async () => {
    // An agent of its own for each client: an agent is told once of a case that ended, on whatever client.
    const name = `${client.sdk}-${client.wire}-${client.mode}`;
    agent = await connectSdk(client, gateway.url, await gateway.addAgent(name));
    otherAgent = await connectSdk(client, gateway.url, await gateway.addAgent(`${name}-other`));
  });
  afterAll(async () => {
    await agent.close();
    await otherAgent.close();
  });

  async function park(text: string): Promise<string> {
    return refIn(await agent.call("held_write_thing", { text: `${client.client} ${text}` }));
  }

  test("lists the gateway's own tools and those of both upstreams under their prefixes", async () => {
    const names = (await agent.listTools()).map((tool) => tool.name);
    expect(names.slice(0, 2)).toEqual(["check_status", "withdraw_request"]);
    expect(names).toContain("live_read_thing");
    expect(names).toContain("held_schema_thing");
    expect(names).toHaveLength(2 + 2 * 11 + 1);
  });

  test("gets the result of an allowed call as it is", async () => {
    expect(await agent.call("live_read_thing")).toMatchObject({
      content: [{ type: "text", text: "read_thing done" }],
    });
  });

  test("reports a tool's own error as the tool did", async () => {
    expect(await agent.call("live_failing_thing")).toMatchObject({
      isError: true,
      content: [{ type: "text", text: "it failed" }],
    });
  });

  test("takes the pending answer of a tool with an output schema, and then its real result", async () => {
    const schemaTools = (await agent.listTools()).filter((tool) => tool.outputSchema !== undefined);
    const held = schemaTools.find((tool) => tool.name === "held_schema_thing");
    const live = schemaTools.find((tool) => tool.name === "live_schema_thing");
    const pending = await agent.call("held_schema_thing");
    expect(pending.isError).not.toBe(true);
    expectFits(pending, held);
    const done = await agent.call("live_schema_thing");
    expect(done.structuredContent).toEqual({ ok: true });
    expectFits(done, live);

    const ref = refIn(pending);
    await approve(gateway, ref);
    const status = await agent.call("check_status", { ref, wait_seconds: 25 });
    expect(status.structuredContent).toMatchObject({
      state: "SUCCEEDED",
      answer: { result: { structuredContent: { ok: true } } },
    });
  });

  test("waits in check_status until a person approves, and gets the tool's own result, of one run", async () => {
    const ref = await park("approved while waiting");
    const waiting = agent.call("check_status", { ref, wait_seconds: 25 });
    await approve(gateway, ref);
    const status = await waiting;
    const latest = status.structuredContent?.["state"];
    // The wait ends with the first news that machines will not change soon; a slow run may need a second look.
    const ended =
      latest === "SUCCEEDED" ? status : await agent.call("check_status", { ref, wait_seconds: 25 });
    expect(words(ended)).toContain(`SUCCEEDED (Ref: ${ref})`);
    expect(words(ended)).toContain("write_thing done");
    expect(runsOf(`${client.client} approved while waiting`)).toBe(1);
  });

  test("reads why a person rejected its call, which did not run", async () => {
    const ref = await park("rejected");
    await reject(gateway, ref, "Not this quarter.");
    const status = await agent.call("check_status", { ref, wait_seconds: 25 });
    expect(words(status)).toContain("REJECTED");
    expect(words(status)).toContain("Not this quarter.");
    expect(status.structuredContent).toMatchObject({ reviewer_reason: "Not this quarter." });
    expect(runsOf(`${client.client} rejected`)).toBe(0);
  });

  test("withdraws its call, which then can be approved no more", async () => {
    const ref = await park("withdrawn");
    const withdrawn = await agent.call("withdraw_request", { ref });
    expect(withdrawn.isError).not.toBe(true);
    expect(words(withdrawn)).toContain("CANCELLED");
    expect(await readApi(gateway, `/api/v1/cases/${ref}`)).toMatchObject({ case: { state: "CANCELLED" } });
    expect((await agent.call("withdraw_request", { ref })).isError).toBe(true);
    expect(runsOf(`${client.client} withdrawn`)).toBe(0);
  });

  test("lists its open cases every time, and each ended one once", async () => {
    await agent.call("check_status");
    const open = await park("still open");
    const ended = await park("ended unseen");
    await reject(gateway, ended, "No.");
    const first = words(await agent.call("check_status"));
    expect(first).toContain(`PENDING REVIEW (Ref: ${open})`);
    expect(first).toContain(`REJECTED (Ref: ${ended})`);
    const second = words(await agent.call("check_status"));
    expect(second).toContain(open);
    expect(second).not.toContain(ended);
    await agent.call("withdraw_request", { ref: open });
  });

  test("is told how to behave, by instructions and by the prompt", async () => {
    expect(agent.instructions).toContain("PENDING REVIEW");
    expect(await agent.listPrompts()).toEqual(["governance_protocol"]);
    expect(await agent.getPrompt("governance_protocol")).toBe(agent.instructions);
    await expect(agent.getPrompt("another")).rejects.toThrow(/no such prompt\. .*\[prompt\.unknown\]/);
  });

  test("is refused an unknown tool and every unknown method, in words", async () => {
    await expect(agent.call("live_no_such_thing")).rejects.toThrow(/Unknown tool \[tool\.unknown\]/);
    for (const method of ["resources/write", "prompts/delete", "vendor/method"]) {
      await expect(agent.request(method, { uri: "file:///etc/passwd" })).rejects.toThrow(/Method not found/);
    }
    expect(words(await agent.call("live_read_thing"))).toBe("read_thing done");
  });

  test("hears the progress of a call that runs", async () => {
    const untilFile = join(gateway.folder, `${client.sdk}-${client.wire}-${client.mode}.done`);
    const heard: Progress[] = [];
    const result = await agent.call("in_steps", { until_file: untilFile }, (progress) => {
      heard.push(progress);
      if (heard.length === 2) writeFileSync(untilFile, "");
    });
    expect(words(result)).toBe("both steps done");
    expect(heard.map((step) => step.message)).toEqual(["step 1", "step 2"]);
  });

  // The 2026 client itself refuses blocks that its revision does not know; the wire tests see that we pass them on.
  test.skipIf(client.mode === "modern")("gets what a vendor adds to a result", async () => {
    const result = await agent.request("tools/call", { name: "live_vendor_thing", arguments: {} });
    expect(result).toMatchObject({
      content: [
        { type: "x-vendor-block", payload: { deep: [1, { two: 2 }] }, unknown: true },
        { type: "text", text: "plain", annotations: { vendor: "kept" } },
      ],
      structuredContent: { b: 1, a: [null] },
      _meta: { "vendor.example/trace": { id: "t-1" } },
      "x-top-level": { kept: true },
    });
  });

  test("gets what a vendor adds to definitions and errors", async () => {
    const { tools } = await agent.request("tools/list");
    expect(tools).toContainEqual(
      expect.objectContaining({
        name: "live_vendor_thing",
        "x-vendor": { lives: true },
        annotations: { readOnlyHint: false, vendorHint: "kept" },
      }),
    );
    await expect(agent.call("live_error_thing")).rejects.toMatchObject({
      code: -32042,
      message: expect.stringContaining("the thing is broken"),
      data: { why: "vendor reason", list: [1] },
    });
  });

  test("cannot see or withdraw another agent's case, which for it does not exist", async () => {
    const ref = await park("private");
    const unknown = "evt_".padEnd(36, "a");
    for (const name of ["check_status", "withdraw_request"]) {
      const foreign = await otherAgent.call(name, { ref });
      expect(foreign.isError).toBe(true);
      expect(words(foreign)).toContain("case.unknown");
      expect(foreign).toEqual(await otherAgent.call(name, { ref: unknown }));
    }
    expect(words(await otherAgent.call("check_status"))).not.toContain(ref);
    expect(words(await agent.call("check_status", { ref }))).toContain("PENDING REVIEW");
    await agent.call("withdraw_request", { ref });
  });

  test.runIf(client.wire === "sse")("is told on its open stream when one of its cases ends", async () => {
    const ref = await park("ends while connected");
    await reject(gateway, ref, "No.");
    await eventually(() =>
      expect(agent.told).toContain(`Your case ${ref} is now REJECTED. Ask check_status for more.`),
    );
    expect(JSON.stringify(otherAgent.told)).not.toContain(ref);
  });
});
