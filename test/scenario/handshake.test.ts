import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { firstCredentialsSchema } from "../../src/bootstrap.ts";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { callText } from "./agent.ts";
import { type Finished, runAtlas, type ServedGateway, serveAtlas } from "./atlas-process.ts";
import { type CommandAnswer, runCommand } from "./command-line.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream } from "./gateway.ts";

const WELFARE = "examples/welfare/atlas.yaml";

let folder: string;
let data: string;
const served: ServedGateway[] = [];
let gateway: ServedGateway;
let agentKey: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "atlas-handshake-"));
  data = join(folder, "data");
  gateway = await serve(WELFARE, data);
  const file = join(data, "first-credentials.json");
  agentKey = firstCredentialsSchema.parse(JSON.parse(readFileSync(file, "utf8"))).agent.key;
});
afterAll(async () => {
  await Promise.all(served.map((one) => one.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** A gateway that ends with the tests, whatever comes of them. */
async function serve(config: string, dataDir: string): Promise<ServedGateway> {
  const started = await serveAtlas(["--config", config, "--data", dataDir]);
  served.push(started);
  return started;
}

function postMcp(url: string, key: string, body: string): Promise<Response> {
  return fetch(`${url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body,
  });
}

/** It failed as it should: exit code 1 and sentences, no more. */
function expectSentence(finished: Finished | CommandAnswer, sentence: RegExp, code = 1): void {
  expect(finished.stderr).toMatch(sentence);
  expect(finished.stderr).not.toMatch(/Error:|node:internal|undefined|\[object/);
  expect(finished.code).toBe(code);
}

test("the first start says where everything is, and shows no credential", async () => {
  await eventually(() => expect(gateway.stdout()).toContain(join(data, "first-credentials.json")));
  expect(gateway.stdout()).toContain(`${gateway.url}/console`);
  expect(gateway.stdout()).not.toContain("atlas_agent_");
  expect(gateway.stdout()).not.toContain("atlas_person_");
});

test("the handshake plays a call from request to result, as often as one likes", async () => {
  for (let times = 0; times < 2; times++) {
    const { code, stdout, stderr } = await runAtlas(["handshake", "--data", data]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /PENDING REVIEW \(Ref: evt_[a-z2-7]{32}\)\. Action queued subject to governance checks\./,
    );
    expect(stdout).toContain("SUCCEEDED");
    expect(stdout).toContain("Handshake complete");
    expect(code).toBe(0);
  }
});

test("the handshake fails in words with a wrong token or key, and works again with the right ones", async () => {
  const [token, key] = await Promise.all([
    runAtlas(["handshake", "--data", data, "--reviewer-token", "atlas_person_wrong"]),
    runAtlas(["handshake", "--data", data, "--agent-key", "atlas_agent_wrong"]),
  ]);
  expectSentence(token, /\/webhook\/approval: .*unknown or was revoked/);
  expectSentence(key, /did not let the agent in/);
  expect((await runAtlas(["handshake", "--data", data])).code).toBe(0);
});

test("cases are listed, shown and decided from the command line", async () => {
  const text = await (
    await postMcp(
      gateway.url,
      agentKey,
      callText({
        tool: "request_payment_extension",
        argumentsText: '{"beneficiary_id":"BEN-123","reason":"flood","days":3}',
      }),
    )
  ).text();
  const ref = /evt_[a-z2-7]{32}/.exec(text)?.[0] ?? "";
  const waiting = await runCommand(["cases", "list", "--data", data, "--state", "AWAITING_REVIEW"]);
  expect(waiting.stdout).toContain(ref);
  expect(waiting.stdout).not.toContain("SUCCEEDED");
  const shown = await runCommand(["cases", "show", ref, "--data", data]);
  expect(JSON.parse(shown.stdout)).toMatchObject({
    case: { ref, state: "AWAITING_REVIEW", agent: "first-agent" },
    arguments: '{"beneficiary_id":"BEN-123","reason":"flood","days":3}',
  });
  const rejected = await runCommand(["cases", "reject", ref, "--data", data, "--reason", "No flood."]);
  expect(rejected).toMatchObject({ code: 0, stdout: `${ref}: REJECTED\n` });
  expectSentence(await runCommand(["cases", "approve", ref, "--data", data]), /is REJECTED/);
});

test("a key works when the agent was added beside the running gateway, and opens nothing once it is revoked", async () => {
  const added = await runCommand(["agents", "add", "night-bot", "--owner", "nora", "--data", data]);
  const key = /atlas_agent_[a-z2-7]+/.exec(added.stdout)?.[0] ?? "";
  const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
  expect((await postMcp(gateway.url, key, list)).status).toBe(200);
  const revoked = await runCommand(["agents", "revoke", "night-bot", "--data", data]);
  expect(revoked.code).toBe(0);
  expect((await postMcp(gateway.url, key, list)).status).toBe(401);
  const listed = await runCommand(["agents", "list", "--data", data]);
  expect(listed.stdout).toMatch(/^night-bot {2}owner nora {2}revoked$/m);
});

test("a reviewer added beside the running gateway can sign in", async () => {
  const added = await runCommand([
    "reviewers",
    "add",
    "rita",
    "--role",
    "reviewer",
    "auditor",
    "--data",
    data,
  ]);
  const token = /atlas_person_[a-z2-7]+/.exec(added.stdout)?.[0] ?? "";
  const session = await fetch(`${gateway.url}/api/v1/session`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await session.json()).toMatchObject({ person: { id: "rita", roles: ["auditor", "reviewer"] } });
  expect((await runCommand(["reviewers", "list", "--data", data])).stdout).toMatch(
    /^rita {2}auditor, reviewer {2}token$/m,
  );
});

test("a second gateway on the same data folder is refused, and told who holds it", async () => {
  const second = await runAtlas(["serve", "--port", "0", "--config", WELFARE, "--data", data]);
  expectSentence(second, new RegExp(`\\b${gateway.pid}\\b`));
  expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
});

test("the example's configuration passes the check", async () => {
  const checked = await runCommand(["check", "--config", WELFARE]);
  expect(checked).toMatchObject({ code: 0, stderr: "" });
  expect(checked.stdout).toContain("1 upstreams, 1 rules, 0 warnings");
});

test("the ledger verifies while the gateway runs, and a copy in which one event was changed does not", async () => {
  const verified = await runAtlas(["ledger", "verify", "--data", data]);
  expect(verified).toMatchObject({ code: 0, stderr: "" });
  expect(verified.stdout).toContain("The ledger verifies.");

  const tampered = join(folder, "tampered");
  cpSync(data, tampered, { recursive: true });
  const db = new DatabaseSync(join(tampered, "atlas.db"));
  for (const { name } of db.prepare("select name from sqlite_master where type = 'trigger'").all()) {
    db.exec(`drop trigger ${String(name)}`);
  }
  const changed = db
    .prepare(
      "update ledger_events set bytes = replace(bytes, '\"sarah\"', '\"nobody\"') where bytes like '%digest_shown%'",
    )
    .run();
  expect(Number(changed.changes)).toBeGreaterThan(0);
  db.close();
  const refuted = await runAtlas(["ledger", "verify", "--data", tampered]);
  expect(refuted.code).toBe(1);
  expect(refuted.stdout).toContain("The ledger does not verify");
  expect(refuted.stderr).toContain("PROBLEM");
});

test("SIGTERM ends a gateway with exit code 0, and its upstreams with it; what waited is there at the next start", async () => {
  const own = join(folder, "own");
  const recordFile = join(folder, "calls.jsonl");
  const config = join(folder, "own.yaml");
  writeFileSync(
    config,
    `
upstreams:
  ${countingUpstream({ name: "tools", recordFile })}
policy:
  - { tool: read_thing, verdict: allow }
  - { tool: "*", verdict: review }
`,
  );
  const first = await serve(config, own);
  const credentials = firstCredentialsSchema.parse(
    JSON.parse(readFileSync(join(own, "first-credentials.json"), "utf8")),
  );
  await (await postMcp(first.url, credentials.agent.key, callText({ tool: "tools_read_thing" }))).text();
  const held = await postMcp(first.url, credentials.agent.key, callText({ tool: "tools_write_thing" }));
  const ref = /evt_[a-z2-7]{32}/.exec(await held.text())?.[0] ?? "";
  const [call] = recordedCalls(recordFile);
  expect(isAlive(call?.pid ?? 0)).toBe(true);
  expect(await first.stop()).toBe(0);
  expect(isAlive(call?.pid ?? 0)).toBe(false);

  const second = await serve(config, own);
  const approved = await runCommand(["cases", "approve", ref, "--data", own]);
  expect(approved.code).toBe(0);
  const argumentsText = JSON.stringify({ ref, wait_seconds: 25 });
  const status = await postMcp(
    second.url,
    credentials.agent.key,
    callText({ tool: "check_status", argumentsText }),
  );
  expect(await status.text()).toContain("write_thing done");
  expect(await second.stop()).toBe(0);
  expect(recordedCalls(recordFile).map(({ tool }) => tool)).toEqual(["read_thing", "write_thing"]);
  expect((await runAtlas(["ledger", "verify", "--data", own])).code).toBe(0);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // No such process.
    return false;
  }
}
