import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DATABASE_FILE } from "../../src/open-store.ts";
import { approve, readApi, refIn, wireAgent, words } from "./agent.ts";
import { runCommand } from "./command-line.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

const SECRET = "iban-4711-marker";
let gateway: Scenario;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => `
upstreams:
  ${countingUpstream({ name: "tools", recordFile: join(folder, "calls.jsonl") })}
policy:
  - { tool: write_thing, verdict: review }
`,
  });
});
afterAll(() => gateway.close());

/** A configuration beside the gateway's own, under which what ended a minute ago is over. */
function retention(text: string): readonly string[] {
  const file = join(gateway.folder, "retention.yaml");
  writeFileSync(file, `retention: ${text}\n`);
  return ["--config", file, "--data", gateway.dataDir];
}

/** As if the case had ended earlier. */
function ageBy(ref: string, ms: number): void {
  const db = new DatabaseSync(join(gateway.dataDir, DATABASE_FILE), { timeout: 5_000 });
  db.prepare("update cases set finished_at_ms = finished_at_ms - ? where ref = ?").run(ms, ref);
  db.close();
}

test("a result whose time is over is gone, the agent is told until when it was kept, and the record still verifies", async () => {
  const agent = wireAgent(gateway);
  const ref = refIn(await agent.call("tools_write_thing", JSON.stringify({ text: SECRET })));
  await approve(gateway, ref);
  await eventually(async () => {
    expect(await readApi(gateway, `/api/v1/cases/${ref}`)).toMatchObject({ case: { state: "SUCCEEDED" } });
  });
  const before = words(await agent.checkStatus(ref));
  expect(before).toContain("write_thing done");

  const counted = await runCommand([
    "prune",
    "--dry-run",
    "--json",
    ...retention("{ payloads: 1m, results: 1m }"),
  ]);
  expect(JSON.parse(counted.stdout)).toEqual({ dry_run: true, cases: { results: 0, texts: 0 } });
  ageBy(ref, 61_000);
  const results = await runCommand(["prune", ...retention("{ payloads: forever, results: 1m }")]);
  expect(results).toMatchObject({ code: 0 });
  expect(results.stdout).toBe("Erased the results of 1 cases and the other texts of 0 cases.\n");

  const after = await agent.checkStatus(ref);
  expect(words(after)).toMatch(/SUCCEEDED .*It was kept until \S+ \[result\.expired\]/);
  expect(words(after)).not.toContain("write_thing done");
  expect(after.structuredContent).toMatchObject({
    state: "SUCCEEDED",
    reason_id: "upstream.answered",
    result: { reason_id: "result.expired" },
  });

  await runCommand(["prune", ...retention("{ payloads: 1m, results: 1m }")]);
  const detail = JSON.stringify(await readApi(gateway, `/api/v1/cases/${ref}`));
  expect(detail).not.toContain(SECRET);
  expect(JSON.parse(detail)).toMatchObject({
    case: { state: "SUCCEEDED" },
    arguments: null,
    assessment: null,
    result: null,
    erased: { texts: expect.any(String), result: expect.any(String) },
  });
  expect(gateway.verifyLedger().findings).toEqual([]);
  expect(gateway.ledgerText()).toContain("payloads.erased");
  expect(words(await agent.checkStatus(ref))).toContain("SUCCEEDED");
});
