import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { secureRandomBytes } from "../../domain/ids.ts";
import { createRig, type Rig } from "../../governance/rig.testing.ts";
import { createMcpEndpoint, type McpEndpoint } from "./endpoint.ts";

const HEADERS = {
  authorization: "Bearer x",
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};
const CALL = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "read_balance", arguments: {} } };

let rig: Rig;
let endpoint: McpEndpoint;
/** Lets the upstream answer the calls that wait. */
let answer: () => void;

beforeEach(async () => {
  rig = await createRig();
  const { promise, resolve } = Promise.withResolvers<void>();
  answer = resolve;
  rig.upstreams.dispatchLive = async () => {
    await promise;
    return { kind: "answered", result: { content: [] } };
  };
  const agent = await rig.store.getAgent(rig.agentId);
  if (agent === null) throw new Error("no agent");
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  endpoint = createMcpEndpoint({
    governance: rig.deps,
    version: "1",
    onError: () => undefined,
    authenticate: async () => ({ kind: "agent", agent }),
    challenge: () => ({ resourceMetadataUrl: null, scope: "" }),
    random: secureRandomBytes,
    messagesPath: "/mcp/messages",
    sessionKey: new Uint8Array(32),
  });
});
afterEach(async () => {
  vi.useRealTimers();
  await endpoint.close();
  await rig.dispose();
});

function post(body: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const request = { method: "POST", headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) };
  return endpoint.streamable(new Request("http://localhost/mcp", request));
}

async function begin(): Promise<string> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const response = await post({ jsonrpc: "2.0", id: 0, method: "initialize", params });
  await response.text();
  return response.headers.get("mcp-session-id") ?? "";
}

const modern = () => {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  };
  return post(
    { ...CALL, params: { ...CALL.params, _meta } },
    { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "read_balance" },
  );
};

test.each([
  ["a call of the 2026 revision", modern],
  ["a call without a session", () => post(CALL)],
  ["a call in a session", async () => post(CALL, { "mcp-session-id": await begin() })],
])("%s that takes long is kept alive by comments", async (_what, send) => {
  const response = await send();
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  await vi.advanceTimersByTimeAsync(31_000);
  answer();
  const text = await response.text();
  expect(text.match(/^: keep-?alive$/gm)).toHaveLength(2);
  expect(text).toContain('"content":[]');
});

test("a listening stream is kept alive by comments", async () => {
  const headers = { ...HEADERS, accept: "text/event-stream", "mcp-session-id": await begin() };
  const response = await endpoint.streamable(new Request("http://localhost/mcp", { headers }));
  await vi.advanceTimersByTimeAsync(31_000);
  await endpoint.close();
  expect(await response.text()).toBe(": keepalive\n\n: keepalive\n\n");
});
