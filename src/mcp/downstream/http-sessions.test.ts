import { afterEach, beforeEach, expect, test } from "vitest";
import { type AgentId, secureRandomBytes } from "../../domain/ids.ts";
import { createRig, type Rig } from "../../governance/rig.testing.ts";
import { createHearings } from "./hearings.ts";
import { createHttpSessions, type HttpSessions, type SessionLimits } from "./http-sessions.ts";
import { createInFlight } from "./in-flight.ts";

const ALICE = "alice" as AgentId;
const BOB = "bob" as AgentId;
const HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

let rig: Rig;
let sessions: HttpSessions;
let allowed: boolean;
/** Sessions whose upstream connections were closed. */
let ended: string[];

beforeEach(async () => {
  rig = await createRig();
  allowed = true;
  ended = [];
  rig.upstreams.endSession = ({ session }) => void ended.push(session);
});
afterEach(async () => {
  await sessions.close();
  await rig.dispose();
});

function create(limits: Partial<SessionLimits> = {}): void {
  sessions = createHttpSessions({
    governance: rig.deps,
    hearings: createHearings({
      governance: { ...rig.deps, store: rig.store },
      onError: () => undefined,
    }),
    version: "1",
    onError: () => undefined,
    random: secureRandomBytes,
    sessionKey: new Uint8Array(32),
    limits,
    inFlight: createInFlight(),
    mayStay: async () => allowed,
  });
}

function post(message: object): {
  readonly request: Request;
  readonly body: { value: unknown; calls: Map<string, string> };
} {
  const value = { jsonrpc: "2.0", ...message };
  return {
    request: new Request("http://localhost/mcp", {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify(value),
    }),
    body: { value, calls: new Map() },
  };
}

/** @returns the new session's id; null when there was no room */
async function open(agentId: AgentId = ALICE): Promise<string | null> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const response = await sessions.open({ agentId, ...post({ id: 1, method: "initialize", params }) });
  await response?.text();
  return response?.headers.get("mcp-session-id") ?? null;
}

async function listen(id: string, agentId: AgentId = ALICE): Promise<Response> {
  const headers = { accept: "text/event-stream", "mcp-session-id": id, authorization: "Bearer x" };
  return sessions.serve(id, {
    agentId,
    request: new Request("http://localhost/mcp", { headers }),
    body: null,
  });
}

const ids = (): readonly string[] => [...sessions.all()].map((session) => session.id);

test("a session that nobody used for a while ends, and can go on when its client comes back", async () => {
  create({ idleMs: 1_000 });
  const id = (await open()) ?? "";
  const listening = (await open()) ?? "";
  const stream = await listen(listening);
  rig.clock.advance(1_001);
  await sessions.sweep();
  expect(ids()).toEqual([listening]);
  expect(ended).toEqual([id]);
  const headers = { ...HEADERS, "mcp-session-id": id };
  const { body } = post({ id: 2, method: "tools/list" });
  const request = new Request("http://localhost/mcp", { method: "POST", headers });
  const answer = await sessions.serve(id, { agentId: ALICE, request, body });
  expect(await answer.text()).toContain("check_status");
  expect((await sessions.serve(id, { agentId: BOB, request, body })).status).toBe(404);
  await stream.body?.cancel();
});

test("a stream ends when its agent may not listen any more", async () => {
  create();
  const stream = await listen((await open()) ?? "");
  await sessions.sweep();
  allowed = false;
  await sessions.sweep();
  expect(await stream.text()).toBe("");
  expect(ids()).toEqual([]);
});

test("an agent's oldest idle session gives way to its next one; where all are in use there is no room", async () => {
  create({ perAgent: 2 });
  const first = (await open()) ?? "";
  const other = (await open(BOB)) ?? "";
  rig.clock.advance(1);
  const second = (await open()) ?? "";
  const third = (await open()) ?? "";
  expect(ids()).toEqual([other, second, third]);
  expect(ended).toEqual([first]);
  const streams = [await listen(second), await listen(third)];
  expect(await open()).toBeNull();
  expect(await open(BOB)).not.toBeNull();
  for (const stream of streams) await stream.body?.cancel();
  expect(await open()).not.toBeNull();
});

test("all agents together have a bound, too", async () => {
  create({ inAll: 1 });
  const first = await open();
  const stream = await listen(first ?? "");
  expect(await open(BOB)).toBeNull();
  await stream.body?.cancel();
  expect(await open(BOB)).not.toBeNull();
  expect(ended).toEqual([first]);
});
