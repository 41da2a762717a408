import { generateKeyPairSync } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SIGNING_KEY_FILE } from "../../src/ledger/signing-key.ts";
import { DATABASE_FILE } from "../../src/open-store.ts";
import { approve, readApi, refIn, wireAgent, words } from "./agent.ts";
import { runCommand } from "./command-line.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

let gateway: Scenario;
let backup: string;

beforeEach(async () => {
  gateway = await openScenario({
    yaml: (folder) => `
upstreams:
  ${countingUpstream({ name: "tools", recordFile: join(folder, "calls.jsonl") })}
policy:
  - { tool: "write_thing", verdict: review }
  - { tool: "*", verdict: allow }
`,
  });
  backup = join(gateway.folder, "backup.db");
});
afterEach(() => gateway.close());

const here = (...args: readonly string[]) => runCommand([...args, "--data", gateway.dataDir]);
const runs = () => {
  const file = join(gateway.folder, "calls.jsonl");
  return existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.includes("write_thing")).length
    : 0;
};
const caseOf = async (ref: string) =>
  ((await readApi(gateway, `/api/v1/cases/${ref}`)) as { case: Record<string, unknown> }).case;

async function pending(): Promise<string> {
  return refIn(await wireAgent(gateway).call("tools_write_thing", '{"text":"once"}'));
}

test("a call that was approved and ran after the backup does not run again by itself", async () => {
  const ref = await pending();
  const made = await here("backup", backup);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(statSync(backup).mode & 0o777).toBe(0o600);
  await approve(gateway, ref);
  await eventually(async () => expect((await caseOf(ref))["state"]).toBe("SUCCEEDED"));
  expect(runs()).toBe(1);

  await gateway.stop();
  const restored = await here("restore", backup, "--replace");
  expect(restored).toMatchObject({ code: 0, stderr: "" });
  expect(restored.stdout).toContain("1 open cases went back to humans");
  expect(readdirSync(gateway.dataDir).filter((name) => name.includes("before-restore"))).not.toEqual([]);
  expect(gateway.verifyLedger().findings).toEqual([]);

  await gateway.start();
  expect(await caseOf(ref)).toMatchObject({ state: "AWAITING_REVIEW", reason_id: "restore.uncertain" });
  const stopped = await wireAgent(gateway).call("tools_read_thing");
  expect(words(stopped)).toContain("kill_switch.engaged");
  expect((await here("resume", "all")).code).toBe(0);
  expect(words(await wireAgent(gateway).call("tools_read_thing"))).not.toContain("kill_switch");
  expect(runs()).toBe(1);
  expect((await here("ledger", "verify")).code).toBe(0);
  // A person who looked and found that it must run decides so anew, on what is shown now.
  await approve(gateway, ref);
  await eventually(async () => expect((await caseOf(ref))["state"]).toBe("SUCCEEDED"));
  expect(runs()).toBe(2);
});

test("an approval that is in the backup is void", async () => {
  await gateway.reload(`
upstreams:
  ${countingUpstream({ name: "tools", recordFile: join(gateway.folder, "calls.jsonl") })}
policy:
  - { tool: "*", verdict: review }
review: { undo_within: 1h }
`);
  const ref = await pending();
  await approve(gateway, ref);
  expect(await caseOf(ref)).toMatchObject({ state: "AUTHORIZED" });
  expect((await here("backup", backup)).code).toBe(0);
  await gateway.stop();
  expect((await here("restore", backup, "--replace")).code).toBe(0);
  expect((await here("resume", "all")).code).toBe(0);
  await gateway.start();
  expect(await caseOf(ref)).toMatchObject({ state: "AWAITING_REVIEW", reason_id: "restore.uncertain" });
  expect(runs()).toBe(0);
});

test("a backup is brought back into an empty folder with the key that was kept, and only with it", async () => {
  await pending();
  await here("backup", backup);
  const other = join(gateway.folder, "other");
  const restore = (...args: readonly string[]) => runCommand(["restore", backup, "--data", other, ...args]);
  expect((await restore()).stderr).toContain("The key that signed the ledger is not in");
  const stranger = join(gateway.folder, "stranger.pem");
  writeFileSync(stranger, generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
  expect((await restore("--signing-key", stranger)).stderr).toContain("does not verify with this key");
  expect(existsSync(join(other, SIGNING_KEY_FILE))).toBe(false);
  const kept = join(gateway.folder, "kept.pem");
  copyFileSync(join(gateway.dataDir, SIGNING_KEY_FILE), kept);
  expect(await restore("--signing-key", kept)).toMatchObject({ code: 0, stderr: "" });
  expect(statSync(join(other, DATABASE_FILE)).mode & 0o777).toBe(0o600);
  expect((await runCommand(["ledger", "verify", "--data", other])).code).toBe(0);
});

test("what cannot be trusted is not brought back, and what is there stays", async () => {
  await pending();
  await here("backup", backup);
  expect((await here("backup", backup)).stderr).toContain("exists; name a new file");
  expect((await here("restore", backup, "--replace")).stderr).toContain(
    "is in use by the gateway with process id",
  );
  await gateway.stop();
  expect((await here("restore", backup)).stderr).toContain("with --replace it is put aside");
  const database = readFileSync(join(gateway.dataDir, DATABASE_FILE));
  // The gateway's own file is no backup; a changed one does not verify.
  expect((await here("restore", join(gateway.dataDir, DATABASE_FILE), "--replace")).stderr).toContain(
    "is no backup",
  );
  const bytes = readFileSync(backup);
  const at = bytes.indexOf("case.review_requested");
  expect(at).toBeGreaterThan(0);
  bytes.write("X", at);
  writeFileSync(backup, bytes);
  expect((await here("restore", backup, "--replace")).stderr).toContain("does not verify with this key");
  expect(readFileSync(join(gateway.dataDir, DATABASE_FILE))).toEqual(database);
  expect(readdirSync(gateway.dataDir).filter((name) => name.includes("restor"))).toEqual([]);
});

test("no gateway runs on a backup that was copied there by hand, nor on half a restore", async () => {
  await pending();
  await here("backup", backup);
  await gateway.stop();
  const database = join(gateway.dataDir, DATABASE_FILE);
  renameSync(database, `${database}.kept`);
  for (const suffix of ["-wal", "-shm"]) rmSync(database + suffix, { force: true });
  copyFileSync(backup, database);
  await expect(gateway.start()).rejects.toThrow(/is a backup that was put there by hand/);
  renameSync(`${database}.kept`, database);
  writeFileSync(`${database}.restoring`, "");
  await expect(gateway.start()).rejects.toThrow(/A restore of .* was interrupted/);
  expect((await here("restore", backup, "--replace")).code).toBe(0);
  await gateway.start();
});
