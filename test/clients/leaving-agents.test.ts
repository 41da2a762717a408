import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { approve, readApi, refIn, type ToolResult, words } from "../scenario/agent.ts";
import { eventually } from "../scenario/eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { recordedCalls } from "../servers/counting-upstream.ts";

let gateway: Scenario;
const records = new Map<string, string>();

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      for (const name of ["live", "safe", "held"]) records.set(name, join(folder, `${name}.jsonl`));
      const upstream = (name: string) => countingUpstream({ name, recordFile: records.get(name) ?? "" });
      return `
upstreams:
  ${upstream("live")}
  ${upstream("safe").replace(/\}$/, ',"safe_to_repeat":["slow_thing"]}')}
  ${upstream("held")}
policy:
  - { upstream: live, verdict: allow }
  - { upstream: safe, verdict: allow }
  - { upstream: held, verdict: review }
`;
    },
  });
});
afterAll(() => gateway.close());

const WIRES = ["legacy SSE", "Streamable HTTP, 2025", "Streamable HTTP, 2026-07-28"] as const;
const WAYS = ["cancels", "times out", "disconnects"] as const;
type Way = (typeof WAYS)[number];

interface LeavingAgent {
  call(name: string, args: Record<string, unknown>): Promise<ToolResult>;
  /** Begins a call. @returns what leaves it; settles when the client has given it up */
  begin(name: string, args: Record<string, unknown>, way: Way): () => Promise<void>;
  close(): Promise<void>;
}

async function connect(wire: (typeof WIRES)[number], key: string): Promise<LeavingAgent> {
  const options = {
    fetch: (input: string | URL | Request, init?: RequestInit) => {
      const headers = new Headers(init?.headers);
      headers.set("authorization", `Bearer ${key}`);
      return fetch(input, { ...init, headers });
    },
  };
  const transport: Transport =
    wire === "legacy SSE"
      ? new SSEClientTransport(new URL(`${gateway.url}/mcp/sse`), options)
      : new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), options);
  const mode = wire.endsWith("2026-07-28") ? ({ pin: "2026-07-28" } as const) : "legacy";
  const client = new Client({ name: "leaving-agent", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(transport);
  return {
    call: async (name, args) =>
      (await client.callTool({ name, arguments: args }, { timeout: 40_000 })) as ToolResult,
    begin(name, args, way) {
      const stop = new AbortController();
      // A client's own clock decides when it gives up; nothing below depends on when that is.
      const timeout = way === "times out" ? 700 : 40_000;
      const given = client.callTool({ name, arguments: args }, { timeout, signal: stop.signal });
      const over = given.then(
        () => undefined,
        () => undefined,
      );
      return async () => {
        if (way === "cancels") stop.abort("changed my mind");
        if (way === "disconnects") await client.close();
        await over;
      };
    },
    close: () => client.close(),
  };
}

let agents = 0;

describe.each(WIRES)("an agent over %s", (wire) => {
  describe.each(WAYS)("that %s", (way) => {
    let agent: LeavingAgent;
    let id: string;
    let key: string;
    beforeAll(async () => {
      agents += 1;
      id = `leaving-${agents}`;
      key = await gateway.addAgent(id);
    });

    const caseOf = async (tool: string) => {
      const { cases } = (await readApi(gateway, `/api/v1/cases?agent=${id}&upstream=${tool}&limit=1`)) as {
        cases: readonly { ref: string; state: string; tool: string }[];
      };
      return cases[0];
    };
    const stateOf = async (ref: string) =>
      ((await readApi(gateway, `/api/v1/cases/${ref}`)) as { case: { state: string } }).case.state;
    const runs = (upstream: string, mark: string) =>
      recordedCalls(records.get(upstream) ?? "").filter((call) => call.arguments?.includes(mark) === true)
        .length;

    test("before anybody decided leaves its case waiting; it runs once when it is approved", async () => {
      agent = await connect(wire, key);
      const mark = `${id} before`;
      const ref = refIn(await agent.call("held_write_thing", { text: mark }));
      const leave = agent.begin("check_status", { ref, wait_seconds: 25 }, way);
      await leave();
      expect(await stateOf(ref)).toBe("AWAITING_REVIEW");
      await approve(gateway, ref);
      await eventually(async () => expect(await stateOf(ref)).toBe("SUCCEEDED"));
      expect(runs("held", mark)).toBe(1);
      await agent.close();
    });

    test("while its approved call is sent changes nothing; the result waits for it", async () => {
      agent = await connect(wire, key);
      const untilFile = join(gateway.folder, `${id}-approved`);
      const ref = refIn(await agent.call("held_slow_thing", { until_file: untilFile }));
      await approve(gateway, ref);
      await eventually(() => expect(runs("held", untilFile)).toBe(1));
      const leave = agent.begin("check_status", { ref, wait_seconds: 25 }, way);
      await leave();
      expect(await stateOf(ref)).toBe("EXECUTING");
      writeFileSync(untilFile, "");
      await eventually(async () => expect(await stateOf(ref)).toBe("SUCCEEDED"));
      await agent.close();
      agent = await connect(wire, key);
      expect(words(await agent.call("check_status", { ref }))).toContain("slow done");
      expect(runs("held", untilFile)).toBe(1);
      await agent.close();
    });

    test("while its live call is sent does not end the call, which is read to its end", async () => {
      agent = await connect(wire, key);
      const untilFile = join(gateway.folder, `${id}-live`);
      const leave = agent.begin("live_slow_thing", { until_file: untilFile }, way);
      await eventually(() => expect(runs("live", untilFile)).toBe(1));
      await leave();
      expect(await caseOf("live")).toMatchObject({ state: "EXECUTING" });
      writeFileSync(untilFile, "");
      await eventually(async () => expect(await caseOf("live")).toMatchObject({ state: "SUCCEEDED" }));
      expect(runs("live", untilFile)).toBe(1);
      await agent.close();
    });

    test("while a call that may be repeated is sent may end it, and nobody is asked what happened", async () => {
      agent = await connect(wire, key);
      const untilFile = join(gateway.folder, `${id}-safe`);
      // Its child process is up then, so that what is left is a call and not a start.
      await agent.call("safe_read_thing", {});
      const leave = agent.begin("safe_slow_thing", { until_file: untilFile }, way);
      // A client that gives up by its own clock may do so before anything was sent.
      if (way !== "times out") await eventually(() => expect(runs("safe", untilFile)).toBe(1));
      await leave();
      // Only a cancellation is passed on; a connection that breaks ends the answer and not the call.
      if (way === "disconnects") writeFileSync(untilFile, "");
      const ends = way === "disconnects" ? /^(SUCCEEDED|FAILED)$/ : /^FAILED$/;
      await eventually(async () => {
        const current = await caseOf("safe");
        expect(current).toMatchObject({ tool: "slow_thing", state: expect.stringMatching(ends) });
      });
      expect(runs("safe", untilFile)).toBeLessThanOrEqual(1);
      await agent.close();
    });
  });
});

test("the ledger of all of them verifies", () => {
  expect(gateway.verifyLedger().findings).toEqual([]);
});
