import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { callText, readApi, refIn, wireAgent, words } from "./agent.ts";
import { openEventStream } from "./event-stream.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

let gateway: Scenario;
let recordFile: string;

beforeEach(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      recordFile = join(folder, "calls.jsonl");
      return `
upstreams:
  ${countingUpstream({ name: "tools", recordFile })}
policy:
  - { tool: write_thing, verdict: review }
  - { tool: "*", verdict: allow }
`;
    },
  });
});
afterEach(() => gateway.close());

test("a stop finishes what is in flight on every transport, refuses what is new, and leaves parked cases", async () => {
  const agent = wireAgent(gateway);
  const { url } = gateway;
  const go = join(gateway.folder, "go");
  const slow = (n: number) => JSON.stringify({ n, until_file: go });
  const parked = refIn(await agent.call("tools_write_thing"));

  const streamable = agent.call("tools_slow_thing", slow(1));
  const stream = await openEventStream(gateway, gateway.agentKey);
  await fetch(new URL(await stream.endpoint(), url), {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.agentKey}`, "content-type": "application/json" },
    body: callText({ tool: "tools_slow_thing", argumentsText: slow(2), idText: "7" }),
  });
  const waiting = agent.checkStatus(parked, 25);
  await eventually(() => expect(recordedCalls(recordFile)).toHaveLength(2));

  const stopped = gateway.stop();
  // It only waits for news, so it is answered with what there is.
  expect(words(await waiting)).toContain("PENDING REVIEW");
  const late = await fetch(`${url}/mcp`, { method: "POST", body: callText({ tool: "tools_read_thing" }) });
  expect(late.status).toBe(503);
  expect(await late.text()).toContain("The gateway is stopping and takes nothing new.");
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ reasons: ["gateway.stopping"] });

  writeFileSync(go, "");
  expect(words(await streamable)).toBe("slow done");
  let message = await stream.next();
  while (message.id !== 7) message = await stream.next();
  expect(message.text).toContain("slow done");
  await stopped;

  await gateway.start();
  expect(await readApi(gateway, `/api/v1/cases/${parked}`)).toMatchObject({
    case: { state: "AWAITING_REVIEW" },
  });
  expect(recordedCalls(recordFile)).toHaveLength(2);
  expect(gateway.verifyLedger()).toMatchObject({ ok: true, counts: { gaps: 0 } });
});
