import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { approve, callText, refIn, reject, wireAgent, words } from "./agent.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

let gateway: Scenario;
let yaml: string;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      yaml = `
upstreams:
  ${countingUpstream({ name: "tools", recordFile: join(folder, "calls.jsonl") })}
policy:
  - { tool: write_thing, verdict: review }
  - { tool: failing_thing, verdict: allow }
  - { tool: read_thing, verdict: allow }
  - { tool: "*", verdict: deny }
`;
      return yaml;
    },
  });
});
afterAll(() => gateway.close());

/** Value of each series. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${gateway.url}/metrics`);
  expect(response.status).toBe(200);
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

test("counts what happened by reason, without a word of agents, and is right about cases after a restart", async () => {
  const agent = wireAgent(gateway);
  await agent.call("tools_read_thing", '{"note":"MARKER-ARGUMENT"}');
  await agent.call("tools_failing_thing");
  await agent.call("tools_vendor_thing");
  await agent.post(callText({ tool: "MARKER_TOOL" }));
  const waiting = refIn(await agent.call("tools_write_thing", '{"text":"1"}'));
  await reject(gateway, refIn(await agent.call("tools_write_thing", '{"text":"2"}')), "MARKER-REASON");
  const approved = refIn(await agent.call("tools_write_thing", '{"text":"3"}'));
  await approve(gateway, approved);
  await eventually(async () => expect(words(await agent.checkStatus(approved))).toContain("SUCCEEDED"));
  await gateway.reload("upstreams: 7\n");

  const now = await scrape();
  const at = (series: string) => now.get(series);
  expect(at('atlas_calls_total{answer="result",reason_id=""}')).toBe(2);
  expect(at('atlas_calls_total{answer="refused",reason_id="policy.denied"}')).toBe(1);
  expect(at('atlas_calls_total{answer="refused",reason_id="tool.unknown"}')).toBe(1);
  expect(at('atlas_calls_total{answer="pending",reason_id=""}')).toBe(3);
  expect(at('atlas_call_governance_seconds_count{answer="result"}')).toBe(2);
  expect(at('atlas_upstream_calls_total{upstream="tools",reason_id="upstream.answered"}')).toBe(2);
  expect(at('atlas_upstream_calls_total{upstream="tools",reason_id="upstream.tool_error"}')).toBe(1);
  expect(at('atlas_upstream_seconds_count{upstream="tools"}')).toBe(3);
  expect(at('atlas_decision_seconds_count{decision="approved"}')).toBe(1);
  expect(at('atlas_decision_seconds_count{decision="rejected"}')).toBe(1);
  expect(at('atlas_case_changes_total{state="DENIED",reason_id="policy.denied"}')).toBe(1);
  expect(at('atlas_cases{state="AWAITING_REVIEW"}')).toBe(1);
  expect(at('atlas_cases{state="SUCCEEDED"}')).toBe(2);
  expect(at('atlas_open_cases{state="AWAITING_REVIEW",reason_id="policy.review"}')).toBe(1);
  expect(at('atlas_upstream_up{upstream="tools"}')).toBe(1);
  expect(at('atlas_enforcement{mode="enforce"}')).toBe(1);
  expect(at("atlas_config_last_reload_successful")).toBe(0);
  expect(at("atlas_ledger_events")).toBeGreaterThan(10);
  expect(at("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect([...now.keys()].join("\n")).not.toMatch(/MARKER|first-agent|evt_/);
  expect(await (await fetch(`${gateway.url}/readyz`)).json()).toMatchObject({ config: "reload_refused" });
  await gateway.reload(yaml);

  await gateway.stop();
  await gateway.start();
  const later = await scrape();
  expect(later.get('atlas_cases{state="SUCCEEDED"}')).toBe(2);
  expect(later.get('atlas_cases{state="AWAITING_REVIEW"}')).toBe(1);
  expect(later.get('atlas_calls_total{answer="result",reason_id=""}')).toBeUndefined();
  const lines = gateway.logText();
  expect(lines).toContain('"reason_id":"tool.unknown"');
  expect(lines).toMatch(
    new RegExp(
      `"ref":"${waiting}","from":null,"to":"AWAITING_REVIEW","reason_id":"policy.review","upstream":"tools"`,
    ),
  );
  expect(lines).toMatch(new RegExp(`"ref":"${approved}","from":"AUTHORIZED","to":"EXECUTING"`));
  expect(lines).toMatch(
    new RegExp(`"ref":"${approved}","from":"EXECUTING","to":"SUCCEEDED","reason_id":"upstream.answered"`),
  );
  expect(lines).not.toMatch(/MARKER/);
});
