import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "./command-line.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

let gateway: Scenario;
let data: string;
let nowhere: string;

beforeAll(async () => {
  nowhere = join(mkdtempSync(join(tmpdir(), "atlas-nowhere-")), "data");
  gateway = await openScenario({
    yaml: (folder) => `
upstreams:
  ${countingUpstream({ name: "tools", recordFile: join(folder, "calls.jsonl") })}
`,
  });
  data = gateway.dataDir;
});
afterAll(async () => {
  await gateway.close();
  rmSync(join(nowhere, ".."), { recursive: true, force: true });
});

interface WrongUse {
  readonly what: string;
  readonly args: () => readonly string[];
  readonly sentence: RegExp;
  readonly code?: number;
}

test.each<WrongUse>([
  { what: "an unknown command", args: () => ["frobnicate"], sentence: /unknown command/, code: 2 },
  {
    what: "a port that is none",
    args: () => ["serve", "--port", "http"],
    sentence: /a port is a number/,
    code: 2,
  },
  {
    what: "an agent without an owner",
    args: () => ["agents", "add", "bot", "--data", data],
    sentence: /--owner/,
    code: 2,
  },
  {
    what: "a role that is none",
    args: () => ["reviewers", "add", "rita", "--role", "king", "--data", data],
    sentence: /Allowed choices are/,
    code: 2,
  },
  {
    what: "an agent that exists already",
    args: () => ["agents", "add", "first-agent", "--owner", "nora", "--data", data],
    sentence: /first-agent/,
  },
  {
    what: "a person who exists already",
    args: () => ["reviewers", "add", "sarah", "--data", data],
    sentence: /sarah/,
  },
  {
    what: "an id with a space",
    args: () => ["agents", "add", "a b", "--owner", "nora", "--data", data],
    sentence: /is no id/,
  },
  {
    what: "an agent that nobody knows",
    args: () => ["agents", "revoke", "nobody", "--data", data],
    sentence: /no agent nobody/,
  },
  {
    what: "a case that nobody knows",
    args: () => ["cases", "show", "evt_1", "--data", data],
    sentence: /There is no such case/,
  },
  {
    what: "a decision on a case that nobody knows",
    args: () => ["cases", "approve", "evt_1", "--data", data],
    sentence: /There is no such case/,
  },
  {
    what: "a state that is none",
    args: () => ["cases", "list", "--state", "LOST", "--data", data],
    sentence: /must be one or more of/,
  },
  {
    what: "a token that opens nothing",
    args: () => ["cases", "list", "--reviewer-token", "wrong", "--data", data],
    sentence: /unknown or was revoked/,
  },
  {
    what: "a token that no header can carry",
    args: () => ["cases", "list", "--reviewer-token", "wröng\ntoken", "--data", data],
    sentence: /token/,
  },
  {
    what: "a folder without a gateway",
    args: () => ["cases", "list", "--data", nowhere],
    sentence: /No gateway is running on/,
  },
  {
    what: "a folder without a database",
    args: () => ["agents", "list", "--data", nowhere],
    sentence: /There is no database in/,
  },
  {
    what: "a ledger that is not there",
    args: () => ["ledger", "verify", "--data", nowhere],
    sentence: /There is no database/,
  },
  {
    what: "a public key that is none",
    args: () => ["ledger", "verify", "--data", data, "--public-key", join(gateway.folder, "atlas.yaml")],
    sentence: /key/,
  },
  {
    what: "a gateway that does not answer",
    args: () => ["cases", "list", "--url", "http://127.0.0.1:9", "--data", data],
    sentence: /No gateway answers at/,
  },
  {
    what: "an address that is none",
    args: () => ["cases", "list", "--url", "gateway", "--data", data],
    sentence: /gateway/,
  },
  {
    what: "a handshake without the welfare example behind the gateway",
    args: () => ["handshake", "--data", data],
    sentence: /check_payment_status|welfare/,
  },
  {
    what: "a configuration that is not there",
    args: () => ["check", "--config", "no-such.yaml"],
    sentence: /cannot be read/,
  },
  {
    what: "a folder that another gateway holds",
    args: () => ["serve", "--port", "0", "--config", join(gateway.folder, "atlas.yaml"), "--data", data],
    sentence: new RegExp(String(process.pid)),
  },
])("$what is answered with a sentence", async ({ args, sentence, code = 1 }) => {
  const answer = await runCommand(args());
  expect(answer.stderr).toMatch(sentence);
  expect(answer.stderr).not.toMatch(/^\s+at |node:internal|undefined|\[object/m);
  expect(answer.code).toBe(code);
});

test("a broken configuration is answered with file, line, key and the nearest key that there is", async () => {
  const file = join(gateway.folder, "broken.yaml");
  writeFileSync(file, "upstreams:\n  tools:\n    comand: node\n");
  const answer = await runCommand(["check", "--config", file]);
  expect(answer.stderr).toMatch(/broken\.yaml:3:5 .*command/);
  expect(answer.code).toBe(1);
});

test("help is no mistake", async () => {
  const answer = await runCommand(["--help"]);
  expect(answer.code).toBe(0);
  expect(answer.stdout).toContain("handshake");
});
