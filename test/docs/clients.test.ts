import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { FIRST_CREDENTIALS_FILE, firstCredentialsSchema } from "../../src/bootstrap.ts";
import { welfareYaml } from "../e2e/welfare.ts";
import { refIn, type ToolResult, words } from "../scenario/agent.ts";
import { eventually } from "../scenario/eventually.ts";
import { openScenario, type Scenario } from "../scenario/gateway.ts";
import { type Block, ROOT, readBlocks } from "./blocks.ts";

const ADDRESS = "http://127.0.0.1:8000";
const ADDRESS_ELSEWHERE = "/srv/atlas";

const serverSchema = z.strictObject({
  type: z.literal("http").optional(),
  url: z.string().optional(),
  headers: z.strictObject({ Authorization: z.string() }).optional(),
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
});
const fileSchema = z.union([
  z.strictObject({ mcpServers: z.strictObject({ atlas: serverSchema }) }),
  z.strictObject({
    inputs: z.array(z.looseObject({ id: z.string() })),
    servers: z.strictObject({ atlas: serverSchema }),
  }),
]);

const blocks = readBlocks("docs/clients.md");
const configurations = blocks.filter(({ language }) => language === "json");

let gateway: Scenario;
/** Where the package is installed, as far as `npx` can see. */
let project: string;
let days = 10;

beforeAll(async () => {
  gateway = await openScenario({ yaml: welfareYaml });
  project = mkdtempSync(join(tmpdir(), "atlas-clients-"));
  mkdirSync(join(project, "node_modules/.bin"), { recursive: true });
  symlinkSync(ROOT, join(project, "node_modules/atlas-gateway"));
  symlinkSync("../atlas-gateway/bin/atlas.js", join(project, "node_modules/.bin/atlas-gateway"));
  writeFileSync(join(project, "package.json"), "{}");
  writeFileSync(join(project, "atlas.yaml"), welfareYaml());
});
afterAll(async () => {
  await gateway.close();
  const holder = join(project, "data/gateway.json");
  if (existsSync(holder)) {
    process.kill((JSON.parse(readFileSync(holder, "utf8")) as { pid: number }).pid, "SIGTERM");
    await eventually(() => {
      if (existsSync(holder)) throw new Error("the gateway has not ended yet");
    });
  }
  rmSync(project, { recursive: true, force: true });
});

/** What a person puts in for the page's own address, key and folder, and what the client fills in by itself. */
function filledIn(text: string): string {
  return text
    .replaceAll(ADDRESS, gateway.url)
    .replaceAll(ADDRESS_ELSEWHERE, project)
    .replaceAll("atlas_agent_…", gateway.agentKey)
    .replaceAll(/\$\{(?:env:)?ATLAS_API_KEY\}|\$\{input:atlas-key\}/gu, gateway.agentKey);
}

function transportOf(block: Block): Transport {
  const file = fileSchema.parse(JSON.parse(filledIn(block.text)));
  const { atlas } = "servers" in file ? file.servers : file.mcpServers;
  if (atlas.url !== undefined) {
    const { Authorization: authorization = "" } = atlas.headers ?? {};
    return new StreamableHTTPClientTransport(new URL(atlas.url), {
      requestInit: { headers: { authorization } },
    });
  }
  const env = { PATH: process.env["PATH"] ?? "", HOME: project, ...atlas.env };
  return new StdioClientTransport({
    command: atlas.command ?? "",
    args: atlas.args ?? [],
    env,
    cwd: project,
    stderr: "ignore",
  });
}

test("the page has a configuration for each client", () => {
  expect(configurations.map(({ heading }) => heading)).toEqual([
    "Claude Desktop",
    "Claude Code",
    "Cursor",
    "VS Code",
    "Clients that only speak stdio",
  ]);
});

test("what VS Code asks for is what its headers hold", () => {
  const block = configurations.find(({ heading }) => heading === "VS Code");
  const file = fileSchema.parse(JSON.parse(block?.text ?? "{}"));
  expect("inputs" in file && file.inputs.map(({ id }) => `Bearer \${input:${id}}`)).toEqual([
    "servers" in file && file.servers.atlas.headers?.Authorization,
  ]);
});

test.each(configurations)("$heading ($at): through a held call to its result", async (block) => {
  const client = new Client({ name: "client", version: "1" });
  await client.connect(transportOf(block));
  const call = async (name: string, args: object) =>
    (await client.callTool({ name, arguments: { ...args } }, { timeout: 40_000 })) as ToolResult;
  const held = await call("request_payment_extension", {
    beneficiary_id: "BEN-123",
    reason: "Hardship",
    days: ++days,
  });
  const ref = refIn(held);
  await approveAt(block.text.includes('"stdio"') ? ownGateway() : gateway, ref);
  const status = await call("check_status", { ref, wait_seconds: 25 });
  expect(words(status)).toContain("Payments to BEN-123 now end on");
  await client.close();
});

/** The gateway that `atlas stdio` started. */
function ownGateway(): { readonly url: string; readonly reviewerToken: string } {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(project, "data", name), "utf8"));
  const { url } = z.object({ url: z.string() }).parse(read("gateway.json"));
  const { reviewer } = firstCredentialsSchema.parse(read(FIRST_CREDENTIALS_FILE));
  return { url, reviewerToken: reviewer.token };
}

async function approveAt(
  { url, reviewerToken }: { readonly url: string; readonly reviewerToken: string },
  ref: string,
): Promise<void> {
  const answer = await fetch(`${url}/webhook/approval`, {
    method: "POST",
    headers: { authorization: `Bearer ${reviewerToken}`, "content-type": "application/json" },
    body: JSON.stringify({ decision: "APPROVED", event_id: ref }),
  });
  expect(answer.status, await answer.text()).toBe(200);
}

test("the Inspector's command lists the tools", async () => {
  const block = blocks.find(({ heading, language }) => heading === "MCP Inspector" && language === "bash");
  const env = { ...process.env, ATLAS_API_KEY: gateway.agentKey };
  const { stdout } = await promisify(execFile)("bash", ["-c", filledIn(block?.text ?? "")], {
    cwd: ROOT,
    env,
  });
  expect(stdout).toContain("request_payment_extension");
});
