import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Finding } from "../../src/cli/doctor/finding.ts";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { createDatabaseOn, type PostgresDatabase } from "../servers/postgres-database.ts";
import { refIn, wireAgent, words } from "./agent.ts";
import { runCommand } from "./command-line.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

const PASSWORD = "a test's own password";

let server: PostgresServer;
let database: PostgresDatabase;
let gateway: Scenario;
let record: string;

beforeAll(async () => {
  // A server of its own: it is stopped in the midst of a test.
  server = await startPostgres();
  database = await createDatabaseOn(server.url());
  gateway = await openScenario({
    yaml: (folder) => {
      record = join(folder, "calls.jsonl");
      return `
database: { url: ${JSON.stringify(database.url)} }
upstreams:
  ${countingUpstream({ name: "held", recordFile: record })}
policy:
  - { upstream: held, verdict: review }
`;
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await server.destroy();
});

/** A command beside the gateway, told where the database is. */
async function atlas(...args: readonly string[]) {
  vi.stubEnv("ATLAS_DATABASE_URL", database.url);
  try {
    return await runCommand([...args, "--data", gateway.dataDir]);
  } finally {
    vi.unstubAllEnvs();
  }
}

const decide = (ref: string) =>
  fetch(`${gateway.url}/webhook/approval`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.reviewerToken}`, "content-type": "application/json" },
    body: JSON.stringify({ decision: "APPROVED", event_id: ref }),
  });

test("a call waits through restarts of gateway and database, is approved, and runs once", async () => {
  const before = wireAgent(gateway);
  const pending = await before.call("held_write_thing", '{"text":"once"}');
  expect(words(pending)).toContain("PENDING REVIEW (Ref: evt_");
  const ref = refIn(pending);
  await gateway.stop();
  await server.stop("immediate");
  await server.start();
  await gateway.start();

  const agent = wireAgent(gateway);
  expect(words(await agent.checkStatus(ref))).toContain("PENDING REVIEW");
  expect(recordedCalls(record)).toHaveLength(0);
  const decided = await decide(ref);
  expect(await decided.json()).toMatchObject({ status: "Signal Sent", decision: "APPROVED" });
  await eventually(async () => expect(words(await agent.checkStatus(ref))).toContain("SUCCEEDED"));
  expect(recordedCalls(record)).toHaveLength(1);
  expect((await decide(ref)).status).toBe(200);
  expect(recordedCalls(record)).toHaveLength(1);

  expect(existsSync(join(gateway.dataDir, "atlas.db"))).toBe(false);
  const verified = await atlas("ledger", "verify");
  expect(verified).toMatchObject({ code: 0 });
  expect(verified.stdout).toContain("The ledger verifies.");
});

test("a database that goes away is said, and what comes after it is back goes on", async () => {
  const agent = wireAgent(gateway);
  await server.stop("immediate");
  const during = await fetch(`${gateway.url}/api/v1/cases`, {
    headers: { authorization: `Bearer ${gateway.reviewerToken}` },
  });
  expect([during.status, await during.text()]).toEqual([503, expect.stringContaining("store.failed")]);
  await expect(agent.call("held_write_thing", '{"text":"lost"}')).rejects.toThrow("store.failed");
  await server.start();
  const ref = refIn(await agent.call("held_write_thing", '{"text":"kept"}'));
  expect((await decide(ref)).status).toBe(200);
  await eventually(() => expect(recordedCalls(record)).toHaveLength(2));
  expect((await atlas("ledger", "verify")).code).toBe(0);
});

test("commands beside the gateway work on its database, and only they who are told where it is", async () => {
  const added = await atlas("agents", "add", "second", "--owner", "operator");
  expect(added).toMatchObject({ code: 0 });
  expect((await atlas("agents", "list")).stdout).toContain("second");
  const lost = await runCommand(["agents", "list", "--data", gateway.dataDir]);
  expect(lost.code).not.toBe(0);
  expect(lost.stderr).toContain("keeps its data in Postgres");
});

test("doctor looks at the database and its clock, and finds nothing broken", async () => {
  const { code, stdout } = await atlas("doctor", "--json", "--config", join(gateway.folder, "atlas.yaml"));
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  expect([code, findings.filter(({ level }) => level === "problem")]).toEqual([0, []]);
  const of = (topic: string) => findings.find((finding) => finding.topic === topic);
  expect(of("database")?.sentence).toMatch(/^Postgres \d+/u);
  expect(of("database clock")).toMatchObject({ level: "ok" });
  expect(of("ledger")).toMatchObject({ level: "ok" });
  expect(of("schema")).toMatchObject({ level: "ok" });
});

test("a second gateway is told who has the database", async () => {
  const another = openScenario({
    yaml: () => `database: { url: ${JSON.stringify(database.url)} }\n`,
  });
  await expect(another).rejects.toMatchObject({
    code: "data.locked",
    message: expect.stringContaining(`atlas gateway, process ${process.pid} on `),
  });
});

test("no log line and no file of the data folder has the password", () => {
  expect(gateway.logText()).not.toContain(PASSWORD);
  expect(gateway.logText()).not.toContain(encodeURIComponent(PASSWORD));
  expect(readFileSync(join(gateway.dataDir, "database.json"), "utf8")).toBe('{"kind":"postgres"}\n');
});
