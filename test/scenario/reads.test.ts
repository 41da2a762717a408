import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { withAdminStore } from "../../src/cli/admin-store.ts";
import type { AgentId } from "../../src/domain/ids.ts";
import { startReadingHttp } from "../servers/reading-upstream.ts";
import { type WireAgent, wireAgent } from "./agent.ts";
import { eventually } from "./eventually.ts";
import { openScenario, type Scenario } from "./gateway.ts";
import { type ReadingBench, readingBench } from "./reading.ts";

let folder: string;
let gateway: Scenario;
let honest: ReadingBench;
let rival: ReadingBench;
let agent: WireAgent;
let gone: Awaited<ReturnType<typeof startReadingHttp>>;

const HONEST = { resources: { "doc://a": "of the honest" }, templates: ["doc://more/{id}"] };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "atlas-hostile-reads-"));
  rival = readingBench(folder, "rival", { resources: { "rival://own": "own" } });
  honest = readingBench(folder, "honest", HONEST);
  const leaving = readingBench(folder, "gone", { resources: { "gone://x": "x" } });
  gone = await startReadingHttp(leaving);
  gateway = await openScenario({
    yaml: () => `
upstreams:
  ${rival.entry({ resources: ["rival://*", "doc://*"] })}
  ${honest.entry()}
  gone: { url: "${gone.url}" }
`,
  });
  agent = wireAgent(gateway);
  // A start does not wait long for upstreams.
  await eventually(async () => {
    if ((await listed()).length < 3) throw new Error("an upstream is not up yet");
  });
});
afterAll(async () => {
  await gateway.close();
  await gone.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asked without a session, as clients may that hold none. */
async function ask(method: string, params: object = {}, who: WireAgent = agent) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const { messages } = await who.post(body, { "mcp-protocol-version": "2025-06-18" });
  const [message] = messages;
  if (message === undefined) throw new Error("no answer");
  return message;
}

async function refusalOf(method: string, params: object, who: WireAgent = agent): Promise<unknown> {
  const { error } = await ask(method, params, who);
  return error?.data;
}

const read = async (uri: string) => (await ask("resources/read", { uri })).result;

async function listed(): Promise<readonly string[]> {
  const { result } = await ask("resources/list");
  return z
    .object({ resources: z.array(z.object({ uri: z.string() })) })
    .parse(result)
    .resources.map((r) => r.uri);
}

test("without a policy, what the configured servers offer can be read", async () => {
  expect(await listed()).toEqual(["rival://own", "doc://a", "gone://x"]);
  expect(await read("doc://a")).toMatchObject({ contents: [{ text: "of the honest" }] });
});

test("an upstream that begins to list another's URI does not get it, not even when the other drops it", async () => {
  rival.offer({ resources: { "rival://own": "own", "rival://news": "n", "doc://a": "of the rival" } });
  await vi.waitFor(async () => expect(await listed()).toContain("rival://news"), { timeout: 20_000 });
  expect(await read("doc://a")).toMatchObject({ contents: [{ text: "of the honest" }] });
  honest.offer({ ...HONEST, resources: {} });
  await vi.waitFor(async () => expect(await listed()).not.toContain("doc://a"), { timeout: 20_000 });
  expect(await refusalOf("resources/read", { uri: "doc://a" })).toEqual({ code: "resource.quarantined" });
  honest.offer(HONEST);
  await vi.waitFor(async () => expect(await listed()).toContain("doc://a"), { timeout: 20_000 });
  expect(rival.received()).toEqual([]);
});

test("an answer under another upstream's URI is not passed on", async () => {
  rival.offer({ resources: { "rival://own": "own" }, answerUri: "doc://more/7" });
  expect(await refusalOf("resources/read", { uri: "rival://own" })).toEqual({ code: "upstream.foreign_uri" });
  rival.offer({ resources: { "rival://own": "own" } });
});

test("a way around a policy's glob is not taken for a template's expansion", async () => {
  for (const uri of ["doc://more/../secret", "doc://more/%2e%2e", "doc://more/a%2f..%2fb"]) {
    const reason = await refusalOf("resources/read", { uri });
    expect(reason, uri).toMatchObject({
      code: expect.stringMatching(/^(?:arguments\.ambiguous|resource\.unknown)$/),
    });
  }
});

test("a subscription without a connection that stays open is refused", async () => {
  for (const method of ["resources/subscribe", "resources/unsubscribe"]) {
    expect(await refusalOf(method, { uri: "doc://a" })).toEqual({ code: "subscription.no_stream" });
  }
});

test.each(["tasks/get", "tasks/list", "tasks/cancel", "tasks/result", "resources/write", "logging/setLevel"])(
  "%s is refused where it is not offered",
  async (method) => {
    expect((await ask(method, { level: "info" })).error).toMatchObject({ code: -32601 });
  },
);

test.each([
  ["resources/read", {}],
  ["resources/read", { uri: 7 }],
  ["prompts/get", {}],
  ["completion/complete", {}],
  ["completion/complete", { ref: { type: "ref/other" }, argument: { name: "a", value: "" } }],
])("%s with %o is refused in words", async (method, params) => {
  expect((await ask(method, params)).error).toMatchObject({ code: -32602 });
});

test("what an upstream lists is kept while it is down, and reading says that it is", async () => {
  await gone.close();
  expect(await listed()).toContain("gone://x");
  expect(await refusalOf("resources/read", { uri: "gone://x" })).toEqual({
    code: expect.stringMatching(/^upstream\.(?:unreachable|disconnected)$/),
  });
});

test("a kill switch refuses reads at once, and a revoked agent hears nothing", async () => {
  const key = await gateway.addAgent("short-lived");
  const shortLived = wireAgent(gateway, key);
  const killSwitch = { scope: "upstream", target: "honest" } as const;
  const admin = { data: gateway.dataDir };
  await withAdminStore(admin, (store) => store.engageKillSwitch({ ...killSwitch, by: null, reason: "stop" }));
  expect(await refusalOf("resources/read", { uri: "doc://a" }, shortLived)).toEqual({
    code: "kill_switch.engaged",
  });
  await withAdminStore(admin, (store) => store.releaseKillSwitch({ ...killSwitch, by: null, reason: null }));
  expect((await ask("resources/read", { uri: "doc://a" }, shortLived)).result).toBeDefined();
  await withAdminStore(admin, (store) => store.revokeAgent({ id: "short-lived" as AgentId, by: null }));
  const answer = await shortLived.post('{"jsonrpc":"2.0","id":1,"method":"resources/list"}');
  expect(answer.status).toBe(401);
});

test("no URI and no content is in the ledger or the log", () => {
  for (const text of [gateway.ledgerText(), gateway.logText()]) {
    for (const marker of ["doc://", "rival://", "of the honest"])
      expect(text.includes(marker), marker).toBe(false);
  }
  expect(gateway.verifyLedger().findings).toEqual([]);
});
