import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { approve, refIn, type ToolResult, words } from "../scenario/agent.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { recordedCalls } from "../servers/counting-upstream.ts";

const INSPECTOR = join(
  import.meta.dirname,
  "../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js",
);

let gateway: Scenario;
let heldCalls: string;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      heldCalls = join(folder, "held.jsonl");
      return `
upstreams:
  ${countingUpstream({ name: "held", recordFile: heldCalls })}
policy:
  - { upstream: held, verdict: review }
`;
    },
  });
});
afterAll(() => gateway.close());

/** The MCP Inspector's command line, a process of its own for each request. */
async function inspect(path: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const key = `Authorization: Bearer ${gateway.agentKey}`;
  const child = spawn(
    process.execPath,
    [INSPECTOR, "--cli", `${gateway.url}${path}`, "--header", key, ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code, said.stderr).toBe(0);
  return JSON.parse(said.stdout) as Record<string, unknown>;
}

function callTool(path: string, name: string, ...args: readonly string[]): Promise<ToolResult> {
  const given = args.flatMap((arg) => ["--tool-arg", arg]);
  return inspect(path, ["--method", "tools/call", "--tool-name", name, ...given]);
}

describe.each(["/mcp", "/mcp/sse"])("the MCP Inspector's command line at %s", (path) => {
  test("lists the tools", async () => {
    const { tools } = (await inspect(path, ["--method", "tools/list"])) as {
      tools: readonly { readonly name: string }[];
    };
    expect(tools.map((tool) => tool.name)).toEqual(
      expect.arrayContaining(["check_status", "withdraw_request", "held_write_thing"]),
    );
  });

  test("goes through a held call to its result", async () => {
    const runs = () => recordedCalls(heldCalls).filter((call) => call.arguments?.includes(path) === true);
    const ref = refIn(await callTool(path, "held_write_thing", `text=${path}`));
    expect(runs()).toHaveLength(0);
    await approve(gateway, ref);
    const status = await callTool(path, "check_status", `ref=${ref}`, "wait_seconds=25");
    expect(words(status)).toContain("write_thing done");
    expect(runs()).toHaveLength(1);
  });
});
