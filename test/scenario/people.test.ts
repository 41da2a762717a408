import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { refIn, sendDecision, wireAgent } from "./agent.ts";
import { runAtlas } from "./atlas-process.ts";
import { type CommandAnswer, runCommand } from "./command-line.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

const PASSWORD = "kettle umbrella fjord";
const OTHER_PASSWORD = "marble thistle harbour";

const yaml = (folder: string) => `
upstreams:
  ${countingUpstream({ name: "tools", recordFile: join(folder, "calls.jsonl") })}
policy:
  - { upstream: tools, verdict: review }
`;

let gateway: Scenario;
beforeAll(async () => {
  gateway = await openScenario({ yaml });
});
afterAll(() => gateway.close());

const reviewers = (...args: readonly string[]): Promise<CommandAnswer> =>
  runCommand(["reviewers", ...args, "--data", gateway.dataDir]);

const setPassword = (id: string, input: string) =>
  runAtlas(["reviewers", "password", id, "--data", gateway.dataDir], input);

interface SignedIn {
  readonly status: number;
  readonly cookie: string;
}

async function signIn(body: object): Promise<SignedIn> {
  const response = await fetch(`${gateway.url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const cookie = (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  return { status: response.status, cookie };
}

const statusWith = async (headers: Record<string, string>) =>
  (await fetch(`${gateway.url}/api/v1/session`, { headers })).status;

const tokenIn = ({ stdout }: CommandAnswer) => /atlas_person_[a-z2-7]+/.exec(stdout)?.[0] ?? "";

test("a password that came by standard input signs in beside the token; it is in no file, log line or event", async () => {
  const token = tokenIn(await reviewers("add", "nina"));
  expect(await setPassword("nina", `${PASSWORD}\n`)).toMatchObject({
    code: 0,
    stdout: "The password of nina is set; they are signed out everywhere.\n",
    stderr: "",
  });
  expect((await signIn({ account: "nina", password: PASSWORD })).status).toBe(200);
  expect((await signIn({ account: "nina", password: OTHER_PASSWORD })).status).toBe(401);
  expect((await signIn({ token })).status).toBe(200);
  expect((await reviewers("list")).stdout).toMatch(/^nina {2}reviewer {2}password and token$/m);
  expect(gateway.logText() + gateway.ledgerText()).not.toMatch(/kettle|marble|atlas_person_/);
});

test.each([
  ["too short", "short", /must have at least 15 characters/],
  ["common", "password-password", /common passwords/],
  ["the person's own name", "nina-nina-nina-nina", /own name/],
  ["nothing", "", /Nothing was given/],
])("a password that is %s is refused in a sentence", async (_, password, sentence) => {
  const refused = await setPassword("sarah", password);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(sentence);
  expect(refused.stderr).not.toContain(password === "" ? "\u0000" : password);
});

test("a password is no argument, and is set for people who are there", async () => {
  expect((await reviewers("password", "sarah", PASSWORD)).code).toBe(2);
  const nobody = await setPassword("nobody-there", PASSWORD);
  expect(nobody).toMatchObject({ code: 1 });
  expect(nobody.stderr).toContain("There is no person nobody-there");
});

test("a session outlives a restart, and ends with what the command line changes beside the gateway", async () => {
  await reviewers("add", "mona");
  await setPassword("mona", PASSWORD);
  const signedIn = async () => (await signIn({ account: "mona", password: PASSWORD })).cookie;
  let cookie = await signedIn();
  await gateway.stop();
  await gateway.start();
  expect(await statusWith({ cookie })).toBe(200);

  expect((await reviewers("roles", "mona", "--role", "auditor")).code).toBe(0);
  expect(await statusWith({ cookie })).toBe(401);
  cookie = await signedIn();
  await setPassword("mona", OTHER_PASSWORD);
  expect(await statusWith({ cookie })).toBe(401);
  await setPassword("mona", PASSWORD);
  cookie = await signedIn();
  const token = tokenIn(await reviewers("token", "mona"));
  expect(await statusWith({ cookie })).toBe(401);
  expect(await statusWith({ authorization: `Bearer ${token}` })).toBe(200);
  cookie = await signedIn();
  expect((await reviewers("revoke", "mona")).stdout).toBe("mona is revoked.\n");
  expect(await statusWith({ cookie })).toBe(401);
  expect(await statusWith({ authorization: `Bearer ${token}` })).toBe(401);
  expect((await signIn({ account: "mona", password: PASSWORD })).status).toBe(401);
  expect((await reviewers("list")).stdout).toMatch(/^mona {2}auditor {2}revoked$/m);
});

test.each(["revoke", "token", "roles"])("%s says when there is nobody to change", async (command) => {
  const more = command === "roles" ? ["--role", "auditor"] : [];
  const refused = await reviewers(command, "nobody-there", ...more);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain("There is no person nobody-there");
});

test("who may sign in and who did is on record by id, and the record verifies", async () => {
  await signIn({ account: "nina", password: "MARKER-wrong" });
  await signIn({ account: "MARKER-account", password: "MARKER-wrong" });
  const types = () =>
    gateway
      .ledgerText()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; details: { person?: string } })
      .filter(({ details }) => details.person === "nina")
      .map(({ type }) => type);
  expect(types()).toEqual(
    expect.arrayContaining([
      "person.added",
      "person.password_set",
      "person.signed_in",
      "person.sign_in_failed",
    ]),
  );
  expect(gateway.ledgerText() + gateway.logText()).not.toContain("MARKER");
  expect(gateway.verifyLedger().findings).toEqual([]);
});

test("an agent's owner decides its cases in single-operator mode alone, which is said in every place", async () => {
  const agent = wireAgent(gateway, await gateway.addAgent("own-bot", "nina"));
  const token = tokenIn(await reviewers("token", "nina"));
  const held = refIn(await agent.call("tools_write_thing", '{"n":1}'));
  const approval = { decision: "APPROVED", event_id: held };
  expect(await sendDecision(gateway, approval, token)).toMatchObject({ status: 403 });
  const session = async () =>
    (await fetch(`${gateway.url}/api/v1/session`, { headers: { authorization: `Bearer ${token}` } })).json();
  expect(await session()).toMatchObject({ single_operator: false });
  expect(gateway.logText()).not.toContain("single-operator");

  expect(await gateway.reload(`${yaml(gateway.folder)}single_operator: true\n`)).toMatchObject({
    changed: ["single_operator"],
    problem: null,
  });
  expect(await session()).toMatchObject({ single_operator: true });
  expect(await sendDecision(gateway, approval, token)).toMatchObject({ status: 200 });
  const decided = gateway
    .ledgerText()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; case?: string; details: object })
    .find((event) => event.case === held && event.type === "case.authorized");
  expect(decided?.details).toMatchObject({ single_operator: true });
  expect(gateway.logText()).toContain("single-operator mode");
  const checked = await runCommand(["check", "--config", join(gateway.folder, "atlas.yaml")]);
  expect(checked.stderr).toContain("single-operator mode");
});
