import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { readApi, refIn, type WireAgent, wireAgent, words } from "./agent.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

const ROUNDS = 12;

let gateway: Scenario;
let agent: WireAgent;
let ritaToken: string;
let record: string;
beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      record = join(folder, "calls.jsonl");
      return `
upstreams:
  ${countingUpstream({ name: "held", recordFile: record })}
policy:
  - { upstream: held, verdict: review }
review: { deadline: 3s }
`;
    },
  });
  agent = wireAgent(gateway);
  ritaToken = await gateway.addPerson("rita", ["reviewer"]);
});
afterAll(() => gateway.close());

interface Shown {
  readonly case: { readonly state: string; readonly digest: string; readonly review_by: string };
  readonly now: string;
}

let calls = 0;
async function park(): Promise<{ readonly ref: string; readonly mark: string }> {
  calls += 1;
  const mark = `call ${calls}.`;
  return { mark, ref: refIn(await agent.call("held_write_thing", JSON.stringify({ text: mark }))) };
}
const show = async (ref: string) => (await readApi(gateway, `/api/v1/cases/${ref}`)) as Shown;
const runs = (mark: string) =>
  recordedCalls(record).filter((call) => call.arguments?.includes(mark) === true).length;

async function decide(ref: string, body: object, token = gateway.reviewerToken) {
  const response = await fetch(`${gateway.url}/api/v1/cases/${ref}/decision`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function settled(ref: string): Promise<string> {
  await eventually(async () => expect((await show(ref)).case.state).toMatch(/SUCC|REJ|EXP/));
  return (await show(ref)).case.state;
}

test("of two reviewers who decide at once, one is recorded, and the case ends as that one said", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const { ref, mark } = await park();
    const { digest } = (await show(ref)).case;
    const [sarah, rita] = await Promise.all([
      decide(ref, { decision: "APPROVED", digest }),
      decide(ref, { decision: "REJECTED", digest }, ritaToken),
    ]);
    expect(new Set([sarah.status, rita.status])).toEqual(new Set([200, 409]));
    const approved = sarah.status === 200;
    expect((approved ? rita : sarah).body).toMatchObject({ error: { code: "review.not_open" } });
    expect([await settled(ref), runs(mark)]).toEqual(approved ? ["SUCCEEDED", 1] : ["REJECTED", 0]);
  }
});

test("a decision before the deadline counts, one after it is told that the case has expired", async () => {
  const early = await park();
  const { digest } = (await show(early.ref)).case;
  expect((await decide(early.ref, { decision: "APPROVED", digest })).status).toBe(200);
  expect([await settled(early.ref), runs(early.mark)]).toEqual(["SUCCEEDED", 1]);
  const late = await park();
  const shown = (await show(late.ref)).case;
  expect(await settled(late.ref)).toBe("EXPIRED");
  expect(await decide(late.ref, { decision: "APPROVED", digest: shown.digest })).toMatchObject({
    status: 409,
    body: { error: { code: "review.not_open", state: "EXPIRED" } },
  });
  expect(runs(late.mark)).toBe(0);
});

test("a decision at the deadline is one or the other, and the case ends as the answer said", async () => {
  const parked = [];
  for (let round = 0; round < ROUNDS; round++) parked.push(await park());
  const answers = await Promise.all(
    parked.map(async ({ ref, mark }, round) => {
      const { digest, review_by: by } = (await show(ref)).case;
      // Sent a little before, at and a little after it; which of them are in time is the gateway's to say.
      await eventually(() => expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(by) - 30 + 5 * round));
      return { ref, mark, answer: await decide(ref, { decision: "APPROVED", digest }) };
    }),
  );
  for (const { ref, mark, answer } of answers) {
    const inTime = answer.status === 200;
    expect([await settled(ref), runs(mark)]).toEqual(inTime ? ["SUCCEEDED", 1] : ["EXPIRED", 0]);
    if (!inTime) expect(answer).toMatchObject({ status: 409, body: { error: { state: "EXPIRED" } } });
  }
});

test("an edit on a digest that is not on record changes nothing; one on the right digest tells the agent what it changed", async () => {
  const { ref, mark } = await park();
  const { digest } = (await show(ref)).case;
  const edit = { decision: "APPROVED", arguments: { text: "edited", note: "by a reviewer" } };
  expect(await decide(ref, { ...edit, digest: "0".repeat(64) })).toMatchObject({
    status: 409,
    body: { error: { code: "review.stale_digest" } },
  });
  expect((await decide(ref, { ...edit, digest })).status).toBe(200);
  expect(await settled(ref)).toBe("SUCCEEDED");
  expect([runs(mark), runs("edited")]).toEqual([0, 1]);
  const told = await agent.checkStatus(ref);
  expect(words(told)).toContain('The reviewer edited your arguments ("/text" changed, "/note" added)');
  expect(told.structuredContent).toMatchObject({
    edited_arguments: { text: "edited", note: "by a reviewer" },
    edited_members: [
      { pointer: "/text", kind: "changed" },
      { pointer: "/note", kind: "added" },
    ],
  });
});

test("all of it is in a ledger that verifies", () => {
  expect(gateway.verifyLedger().findings).toEqual([]);
});
