import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { createDatabaseOn, type PostgresDatabase } from "../servers/postgres-database.ts";
import { readApi, refIn, wireAgent } from "./agent.ts";
import { runCommand } from "./command-line.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

let server: PostgresServer;
let database: PostgresDatabase;
let gateway: Scenario;

beforeAll(async () => {
  server = await startPostgres();
  database = await createDatabaseOn(server.url());
  gateway = await openScenario({
    yaml: (folder) => `
database: { url: ${JSON.stringify(database.url)} }
upstreams:
  ${countingUpstream({ name: "held", recordFile: `${folder}/calls.jsonl` })}
policy:
  - { upstream: held, verdict: review }
`,
  });
});
afterAll(async () => {
  await gateway.close();
  await server.destroy();
});

async function atlas(...args: readonly string[]) {
  vi.stubEnv("ATLAS_DATABASE_URL", database.url);
  try {
    return await runCommand([...args, "--data", gateway.dataDir]);
  } finally {
    vi.unstubAllEnvs();
  }
}

test("a Postgres database that was brought back by its own tools is given to humans in place", async () => {
  const ref = refIn(await wireAgent(gateway).call("held_write_thing"));
  expect((await atlas("restore")).stderr).toMatch(/in use/);
  expect((await atlas("backup", "x.db")).stderr).toContain("pg_dump");
  await gateway.stop();
  expect((await atlas("restore", "x.db")).stderr).toContain("run `atlas restore` without a file");
  const restored = await atlas("restore");
  expect(restored).toMatchObject({ code: 0, stderr: "" });
  expect(restored.stdout).toContain("1 open cases went back to humans");
  expect((await atlas("resume", "all")).code).toBe(0);
  await gateway.start();
  expect(await readApi(gateway, `/api/v1/cases/${ref}`)).toMatchObject({
    case: { state: "AWAITING_REVIEW", reason_id: "restore.uncertain" },
  });
  expect((await atlas("ledger", "verify")).code).toBe(0);
});
