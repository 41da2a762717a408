import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { refIn, reject, wireAgent, words } from "./agent.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";
import { initialize, type SessionAgent, sessionAgent } from "./session-agent.ts";

let gateway: Scenario;
let controlFile: string;
let strangerKey: string;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      controlFile = join(folder, "control.json");
      writeFileSync(controlFile, "{}");
      return `
upstreams:
  ${countingUpstream({ name: "live", recordFile: join(folder, "live.jsonl"), controlFile })}
  ${countingUpstream({ name: "held", recordFile: join(folder, "held.jsonl") })}
policy:
  - { upstream: live, verdict: allow }
  - { upstream: held, verdict: review }
`;
    },
  });
  strangerKey = await gateway.addAgent("stranger");
});
afterAll(() => gateway.close());

async function begin(key: string = gateway.agentKey): Promise<SessionAgent> {
  const id = await initialize(gateway, key);
  if (id === null) throw new Error("no session");
  return sessionAgent(gateway, key, id);
}

const call = (agent: SessionAgent, name: string, args: object = {}) =>
  agent.request("tools/call", { name, arguments: args });

test("a client of the 2025 revisions gets a session, and calls in it", async () => {
  const agent = await begin();
  expect(words((await call(agent, "live_read_thing")).result ?? {})).toBe("read_thing done");
  expect((await agent.post({ method: "notifications/initialized" })).status).toBe(202);
});

test("whoever leaves the session id out is answered all the same", async () => {
  await initialize(gateway, gateway.agentKey);
  expect(words(await wireAgent(gateway).call("live_read_thing"))).toBe("read_thing done");
});

test("a session belongs to its agent: for another one it does not exist", async () => {
  const { id } = await begin();
  const foreign = sessionAgent(gateway, strangerKey, id);
  const missing = sessionAgent(gateway, strangerKey, id.replaceAll(/[0-9a-f]/g, "0"));
  const list = { id: 1, method: "tools/list" };
  const [one, other] = [await foreign.post(list), await missing.post(list)];
  expect(one.status).toBe(404);
  expect(one.text).toBe(other.text);
  expect(await foreign.end()).toBe(404);
  expect((await sessionAgent(gateway, gateway.agentKey, id).post(list)).status).toBe(200);
});

test("a session that its client ended is gone, and stays gone", async () => {
  const agent = await begin();
  expect(await agent.end()).toBe(200);
  expect((await agent.post({ id: 1, method: "tools/list" })).status).toBe(404);
  expect(await agent.end()).toBe(404);
});

test("who listens hears that a case ended and that tools changed, each agent of its own", async () => {
  const agent = await begin();
  const stream = await agent.listen();
  const other = await (await begin(strangerKey)).listen();
  const ref = refIn((await call(agent, "held_write_thing", { text: "listening" })).result ?? {});
  await reject(gateway, ref, "No.");
  expect(await stream.next()).toMatchObject({
    method: "notifications/message",
    params: { data: `Your case ${ref} is now REJECTED. Ask check_status for more.` },
  });
  writeFileSync(controlFile, JSON.stringify({ add: [{ name: "another", inputSchema: { type: "object" } }] }));
  expect(await stream.next()).toMatchObject({ method: "notifications/tools/list_changed" });
  // Had the other agent been told of the case, it would have heard of that first.
  expect(await other.next()).toMatchObject({ method: "notifications/tools/list_changed" });
  await stream.close();
  await other.close();
});

test("a session has one listening stream, and another one when that is gone", async () => {
  const agent = await begin();
  const stream = await agent.listen();
  await expect(agent.listen()).rejects.toThrow(/409/);
  await stream.close();
  await eventually(async () => {
    await (await agent.listen()).close();
  });
});

test("a restart of the gateway disturbs no session", async () => {
  const agent = await begin();
  const foreign = sessionAgent(gateway, strangerKey, agent.id);
  await gateway.stop();
  await gateway.start();
  expect((await foreign.post({ id: 1, method: "tools/list" })).status).toBe(404);
  const [stream, answer] = await Promise.all([agent.listen(), call(agent, "live_read_thing")]);
  expect(words(answer.result ?? {})).toBe("read_thing done");
  const ref = refIn((await call(agent, "held_write_thing", { text: "after restart" })).result ?? {});
  await reject(gateway, ref, "No.");
  expect(await stream.next()).toMatchObject({ params: { data: expect.stringContaining(ref) } });
  await stream.close();
});
