import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Finding } from "../../src/cli/doctor/finding.ts";
import { SIGNING_KEY_FILE } from "../../src/ledger/signing-key.ts";
import { DATABASE_FILE } from "../../src/open-store.ts";
import { wireAgent } from "./agent.ts";
import { runCommand } from "./command-line.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

let gateway: Scenario;

beforeEach(async () => {
  gateway = await openScenario({
    yaml: (folder) => `
upstreams:
  ${countingUpstream({ name: "tools", recordFile: join(folder, "calls.jsonl") })}
policy:
  - { tool: "*", verdict: allow }
`,
  });
});
afterEach(() => gateway.close());

async function doctor(config = join(gateway.folder, "atlas.yaml")) {
  const answer = await runCommand(["doctor", "--json", "--config", config, "--data", gateway.dataDir]);
  const report = JSON.parse(answer.stdout) as { ok: boolean; findings: readonly Finding[] };
  const bad = report.findings.filter((finding) => finding.level !== "ok");
  return { code: answer.code, ...report, bad: bad.map(({ topic, level }) => `${topic}: ${level}`) };
}

function sql(text: string): void {
  const db = new DatabaseSync(join(gateway.dataDir, DATABASE_FILE), { timeout: 5_000 });
  db.exec(text);
  db.close();
}

test("finds nothing broken beside a gateway that runs, and without one", async () => {
  await wireAgent(gateway).call("tools_read_thing");
  const beside = await doctor();
  expect(beside).toMatchObject({ code: 0, ok: true, bad: ["first credentials: warning"] });
  expect(beside.findings.find((f) => f.topic === "gateway")?.sentence).toContain(`ready at ${gateway.url}`);
  expect(beside.findings.find((f) => f.topic === "upstream tools")?.sentence).toMatch(
    /^\d+ tools, protocol /,
  );
  await gateway.stop();
  const without = await doctor();
  expect(without).toMatchObject({ code: 0, ok: true, bad: ["first credentials: warning"] });
  expect(without.findings.find((f) => f.topic === "gateway")?.sentence).toContain("none runs");
  const plain = await runCommand([
    "doctor",
    "--config",
    join(gateway.folder, "atlas.yaml"),
    "--data",
    gateway.dataDir,
  ]);
  expect(plain.stdout).toMatch(/^WARN {2}first credentials .*\n +-> Hand each credential to its holder/m);
  expect(plain.stdout).toContain("0 broken, 1 to look at");
});

test("names what is broken and what to do, without a word of what is secret", async () => {
  await wireAgent(gateway).call("tools_read_thing", '{"note":"MARKER"}');
  const config = join(gateway.folder, "broken.yaml");
  writeFileSync(
    config,
    `
mode: observe
upstreams:
  gone: { command: /nonexistent/MARKER-command }
  away: { url: "http://127.0.0.1:9/mcp", headers: { authorization: "Bearer MARKER" } }
`,
  );
  await runCommand(["stop", "tool", "tools/write_thing", "--reason", "MARKER", "--data", gateway.dataDir]);
  // Last, because whoever opens the key for writing closes it to others.
  chmodSync(join(gateway.dataDir, SIGNING_KEY_FILE), 0o644);
  const report = await doctor(config);
  expect(report).toMatchObject({ code: 1, ok: false });
  expect(report.bad).toEqual([
    "configuration: warning",
    "ledger-key.pem: problem",
    "first credentials: warning",
    "kill switch: warning",
    "upstream gone: problem",
    "upstream away: problem",
  ]);
  for (const finding of report.findings) expect(finding.advice === null).toBe(finding.level === "ok");
  expect(JSON.stringify(report)).not.toContain("MARKER");
});

test("sees a ledger that was changed, a key that was replaced, and a clock that went back", async () => {
  await wireAgent(gateway).call("tools_read_thing");
  await gateway.stop();
  sql("update ledger_events set hash = 'x' where id = 3");
  expect((await doctor()).bad).toContain("ledger: problem");

  rmSync(join(gateway.dataDir, SIGNING_KEY_FILE));
  expect((await doctor()).bad).toContain("signing key: problem");

  writeFileSync(join(gateway.folder, "bad.yaml"), "polcy: []\n");
  const report = await doctor(join(gateway.folder, "bad.yaml"));
  expect(report.bad).toContain("configuration: problem");
});
