import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { recordedCalls } from "../servers/counting-upstream.ts";
import {
  callText,
  onlyMessage,
  readApi,
  refIn,
  sendDecision,
  type ToolResult,
  wireAgent,
  words,
} from "./agent.ts";
import { openEventStream } from "./event-stream.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

let gateway: Scenario;
let recordFile: string;

/** The configuration of these tests, with other rules or other keys. */
function yaml(rules: string, rest = ""): string {
  return `upstreams:\n  ${countingUpstream({ name: "tools", recordFile })}\npolicy:\n${rules}\n${rest}`;
}

const ALLOW = "  - { id: open, tool: '*', verdict: allow }";
const DENY = "  - { id: shut, tool: '*', verdict: deny }";
const REVIEW = "  - { id: ask, tool: '*', verdict: review }";

beforeEach(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      recordFile = join(folder, "calls.jsonl");
      return yaml(ALLOW);
    },
  });
});
afterEach(() => gateway.close());

test("the next call is governed by the rules of the new file, also on a stream that was open before", async () => {
  const agent = wireAgent(gateway);
  const stream = await openEventStream(gateway, gateway.agentKey);
  const endpoint = await stream.endpoint();
  expect(words(await agent.call("tools_write_thing"))).toContain("write_thing done");

  expect(await gateway.reload(yaml(DENY))).toMatchObject({ taken: true, changed: ["policy"], problem: null });
  expect(words(await agent.call("tools_write_thing"))).toContain("[policy.denied]");
  await fetch(new URL(endpoint, gateway.url), {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.agentKey}`, "content-type": "application/json" },
    body: callText({ tool: "tools_write_thing" }),
  });
  let message = await stream.next();
  // The stream also carries news of cases.
  while (message.id !== 1) message = await stream.next();
  expect(message.text).toContain("[policy.denied]");
  await stream.close();
});

test("a file that cannot be taken changes nothing, and the answer says where it is wrong", async () => {
  const agent = wireAgent(gateway);
  const broken = await gateway.reload(yaml("  - { tool: '*', verdict: forbid }"));
  expect(broken).toMatchObject({ taken: false, changed: [] });
  expect(broken.problem).toMatch(/atlas\.yaml:\d+:\d+ policy\[0\]\.verdict: .*write one of/);
  const moved = await gateway.reload(yaml(DENY, "listen: { host: 127.0.0.2 }"));
  expect(moved).toMatchObject({ taken: false, changed: ["listen", "policy"] });
  expect(moved.problem).toContain("`listen` cannot change while the gateway runs");
  expect(words(await agent.call("tools_write_thing"))).toContain("write_thing done");
  expect(gateway.logText()).toContain("The configuration was not reloaded; the one before stays.");

  expect(await gateway.reload(yaml(DENY))).toMatchObject({ taken: true, number: 3 });
  expect(words(await agent.call("tools_write_thing"))).toContain("[policy.denied]");
});

test("observe mode, single operator and portals follow the file", async () => {
  const mode = async () => ((await (await fetch(gateway.url)).json()) as { mode: string }).mode;
  expect(await mode()).toBe("enforce");
  const rest = "mode: observe\nsingle_operator: true";
  expect(await gateway.reload(yaml(REVIEW, rest))).toMatchObject({
    changed: ["policy", "mode", "single_operator"],
  });
  expect(await mode()).toBe("observe");
  expect(words(await wireAgent(gateway).call("tools_write_thing"))).toContain("write_thing done");
  expect(await readApi(gateway, "/api/v1/session")).toMatchObject({ single_operator: true, mode: "observe" });
});

test("a case that waits is run under the rules of the time when it is approved", async () => {
  await gateway.reload(yaml(REVIEW));
  const ref = refIn(await wireAgent(gateway).call("tools_write_thing"));
  await gateway.reload(yaml(DENY));
  await sendDecision(gateway, { event_id: ref, decision: "APPROVED" });
  await eventually(async () => {
    expect(await readApi(gateway, `/api/v1/cases/${ref}`)).toMatchObject({
      case: { state: "DENIED", reason_id: "policy.denied" },
    });
  });
  expect(recordedCalls(recordFile)).toEqual([]);
});

const ledgerEvent = z.object({ type: z.string(), details: z.record(z.string(), z.unknown()) });

test("200 calls under way while the file is reloaded 20 times: each is answered, under one policy that was in force", async () => {
  const agent = wireAgent(gateway);
  const go = join(gateway.folder, "go");
  const answers: Promise<ToolResult>[] = [];
  let call = 0;
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 10; i++) {
      const args = { n: call++, until_file: go };
      answers.push(agent.call("tools_slow_thing", JSON.stringify(args)));
    }
    // At least one of these is under way by the policy of this round; the others race the reload.
    await eventually(() => expect(recordedCalls(recordFile).length).toBeGreaterThan(round * 10));
    const outcome = await gateway.reload(yaml(`  - { id: open-${round}, tool: '*', verdict: allow }`));
    expect(outcome).toMatchObject({ taken: true, changed: ["policy"] });
  }
  await eventually(() => expect(recordedCalls(recordFile)).toHaveLength(200));
  writeFileSync(go, "");
  for (const answer of await Promise.all(answers)) expect(words(answer)).toBe("slow done");

  const events = gateway
    .ledgerText()
    .split("\n")
    .map((line) => ledgerEvent.parse(JSON.parse(line)));
  const activated = events.filter((e) => e.type === "policy.activated").map((e) => e.details["version"]);
  const authorized = events.filter((e) => e.type === "case.authorized");
  expect(activated).toHaveLength(21);
  expect(authorized).toHaveLength(200);
  const used = new Set(authorized.map((e) => e.details["policy_version"]));
  expect([...used].filter((version) => !activated.includes(version))).toEqual([]);
  expect(used.size).toBeGreaterThan(1);
  // Rule and version of each authorization are of the same file.
  const ruleOf = Map.groupBy(authorized, (e) => e.details["policy_version"]);
  for (const group of ruleOf.values()) expect(new Set(group.map((e) => e.details["rule"])).size).toBe(1);
  expect(gateway.verifyLedger().findings).toEqual([]);
});

test("upstreams come and go: what is in flight finishes, what is unchanged keeps its process, agents see the new list", async () => {
  const agent = wireAgent(gateway);
  const other = join(gateway.folder, "other.jsonl");
  await agent.call("tools_write_thing");
  const go = join(gateway.folder, "go");
  const slow = agent.call("tools_slow_thing", JSON.stringify({ until_file: go }));
  await eventually(() => expect(recordedCalls(recordFile)).toHaveLength(2));

  const both = `upstreams:
  ${countingUpstream({ name: "tools", recordFile })}
  ${countingUpstream({ name: "more", recordFile: other })}
policy:
${ALLOW}
`;
  expect(await gateway.reload(both)).toMatchObject({ taken: true, changed: ["upstreams"] });
  expect(words(await agent.call("more_write_thing"))).toContain("write_thing done");
  await agent.call("tools_write_thing", '{"text":"again"}');
  expect(new Set(recordedCalls(recordFile).map((c) => c.pid)).size).toBe(1);

  const one = `upstreams:\n  ${countingUpstream({ name: "more", recordFile: other })}\npolicy:\n${ALLOW}\n`;
  expect(await gateway.reload(one)).toMatchObject({ taken: true });
  const gone = onlyMessage(await agent.post(callText({ tool: "tools_write_thing" })));
  expect(gone.error?.message).toContain("[tool.unknown]");
  writeFileSync(go, "");
  expect(words(await slow)).toBe("slow done");
  expect(words(await agent.call("more_write_thing", '{"text":"b"}'))).toContain("write_thing done");
  expect(gateway.verifyLedger().findings).toEqual([]);
});
