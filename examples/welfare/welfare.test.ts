import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const SERVER = join(import.meta.dirname, "server.ts");

let dir: string;
let client: Client;
let httpServer: ChildProcess | null;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "welfare-"));
  httpServer = null;
});

afterEach(async () => {
  await client.close();
  if (httpServer !== null) {
    const exited = once(httpServer, "exit");
    httpServer.kill("SIGTERM");
    await exited;
  }
  rmSync(dir, { recursive: true, force: true });
});

async function transportOf(wire: string): Promise<Transport> {
  const args = [SERVER, join(dir, "welfare.db")];
  if (wire === "stdio") return new StdioClientTransport({ command: process.execPath, args });
  httpServer = spawn(process.execPath, [...args, "--http", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  if (httpServer.stdout === null) throw new Error("no stdout");
  for await (const url of createInterface({ input: httpServer.stdout })) {
    return new StreamableHTTPClientTransport(new URL(url));
  }
  throw new Error("the server ended before it said where it listens");
}

async function status(id = "BEN-123"): Promise<unknown> {
  const answer = await client.callTool({ name: "check_payment_status", arguments: { beneficiary_id: id } });
  return answer.structuredContent;
}

describe.each([
  ["stdio", "legacy"],
  ["http", "legacy"],
  ["http", "auto"],
] as const)("the welfare server over %s (%s)", (wire, mode) => {
  beforeEach(async () => {
    client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
    await client.connect(await transportOf(wire));
  });

  test("lists its four tools, one of them read-only", async () => {
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual([
      "check_payment_status",
      "request_extension",
      "request_payment_extension",
      "modify_welfare_record",
    ]);
    expect(tools.filter((tool) => tool.annotations?.readOnlyHint === true)).toHaveLength(1);
    expect(tools[0]?.outputSchema).toBeDefined();
  });

  test("shows every change from outside", async () => {
    expect(await status()).toMatchObject({ payment_end_date: "2026-12-31", payment_extensions: 0 });
    const call = async (name: string, args: Record<string, unknown>) =>
      await client.callTool({ name, arguments: { beneficiary_id: "BEN-123", ...args } });
    await call("request_payment_extension", { reason: "hardship" });
    await call("request_payment_extension", { reason: "hardship", days: 1 });
    await call("request_extension", { reason: "post is late", days: 14 });
    await call("modify_welfare_record", { field: "address", value: "9 New Road", justification: "moved" });
    expect(await status()).toMatchObject({
      payment_end_date: "2027-01-31",
      payment_extensions: 2,
      document_deadline: "2026-12-15",
      document_extensions: 1,
      address: "9 New Road",
    });
  });

  test("says clearly what it cannot do, and changes nothing", async () => {
    const unknown = await client.callTool({
      name: "request_payment_extension",
      arguments: { beneficiary_id: "BEN-999", reason: "hardship" },
    });
    expect(unknown).toMatchObject({
      isError: true,
      content: [{ type: "text", text: "There is no beneficiary BEN-999. Nothing was changed." }],
    });
    const forbidden = await client.callTool({
      name: "modify_welfare_record",
      arguments: { beneficiary_id: "BEN-123", field: "id", value: "BEN-1", justification: "none" },
    });
    expect(forbidden.isError).toBe(true);
    expect(await status()).toMatchObject({ beneficiary_id: "BEN-123", payment_extensions: 0 });
  });
});
