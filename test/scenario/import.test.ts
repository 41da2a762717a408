import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readApi } from "./agent.ts";
import { runCommand } from "./command-line.ts";
import { openScenario, type Scenario } from "./gateway.ts";

let gateway: Scenario;

beforeAll(async () => {
  gateway = await openScenario({ yaml: () => "upstreams: {}\n" });
});
afterAll(() => gateway.close());

const LINES = [
  '{"timestamp":"2026-02-03T10:00:00Z","event_id":"evt_1","tool":"pay","arguments":{"to":"MARKER"},"risk_score":85,"decision":"APPROVED"}',
  '{"ts":1770112800,"id":"evt_2","action":"read","score":3}',
  '{"nothing":"known"}',
  '{"nothing":"known"}',
];

function importLines(lines: readonly string[]) {
  const file = join(gateway.folder, "audit_log.jsonl");
  writeFileSync(file, `${lines.join("\r\n")}\r\n`);
  return runCommand(["import", file, "--data", gateway.dataDir]);
}

test("an old audit log is kept as evidence, once, beside a running gateway, and becomes no case", async () => {
  const first = await importLines(LINES);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toContain("4 entries, 4 of them new.");
  expect((await importLines(LINES)).stdout).toContain("4 entries, 0 of them new.");
  const grown = await importLines([...LINES, '{"nothing":"known"}', "not json", "[1]", ""]);
  expect(grown.code).toBe(1);
  expect(grown.stdout).toContain("5 entries, 1 of them new.");
  expect(grown.stderr).toBe(
    "  left out, line 6: it is no JSON object\n  left out, line 7: it is no JSON object\n",
  );
  expect(gateway.ledgerText()).not.toContain("MARKER");
  expect(await readApi(gateway, "/api/v1/cases")).toMatchObject({ cases: [] });
  expect(await runCommand(["ledger", "verify", "--data", gateway.dataDir])).toMatchObject({
    code: 0,
    stderr: "",
  });
});

test("texts of before a time can be erased, and the record still verifies", async () => {
  const erased = await runCommand(["import", "--erase-before", "2026-03-01", "--data", gateway.dataDir]);
  expect(erased.stdout).toContain("Erased the texts of 2 imported entries");
  expect((await importLines(LINES)).stdout).toContain("4 entries, 0 of them new.");
  expect((await runCommand(["ledger", "verify", "--data", gateway.dataDir])).code).toBe(0);
  expect((await runCommand(["import", "--data", gateway.dataDir])).stderr).toContain("Name a file to import");
});
