import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { refIn, type WireAgent, wireAgent, words } from "./agent.ts";
import { runCommand } from "./command-line.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

let gateway: Scenario;
let agent: WireAgent;
let record: string;
let ritaToken: string;
let adamToken: string;
beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      record = join(folder, "calls.jsonl");
      return `
upstreams:
  ${countingUpstream({ name: "held", recordFile: record })}
policy:
  - { upstream: held, verdict: review }
review: { undo_within: 1h, run_within: 2h }
`;
    },
  });
  agent = wireAgent(gateway);
  ritaToken = await gateway.addPerson("rita", ["reviewer"]);
  adamToken = await gateway.addPerson("adam", ["admin"]);
});
afterAll(() => gateway.close());

let calls = 0;
async function park(): Promise<string> {
  calls += 1;
  return refIn(await agent.call("held_write_thing", `{"text":"number ${calls}"}`));
}

async function cases(...args: readonly string[]) {
  return runCommand(["cases", ...args, "--data", gateway.dataDir]);
}
async function casesJson(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await cases(...args, "--json");
  expect(code, stderr).toBe(0);
  return z.record(z.string(), z.unknown()).parse(JSON.parse(stdout));
}

describe("atlas cases", () => {
  test("list is narrowed, paged and ordered", async () => {
    const refs = [await park(), await park(), await park()];
    const first = await cases("list", "--agent", "first-agent", "--tool", "write_thing", "--limit", "2");
    expect(first.stdout).toContain(refs[2]);
    expect(first.stdout).not.toContain(refs[0]);
    const next = /--after (\S+)/.exec(first.stdout)?.[1] ?? "";
    const second = await cases("list", "--limit", "2", "--after", next);
    expect(second.stdout).toContain(refs[0]);
    expect(second.stdout).not.toContain(refs[2]);
    expect((await cases("list", "--agent", "nobody")).stdout).toBe("No cases.\n");
    const byDeadline = await casesJson("list", "--state", "AWAITING_REVIEW", "--order", "deadline");
    expect(byDeadline).toMatchObject({ cases: refs.map((ref) => ({ ref })), next: null });
    expect((await cases("list", "--ref", refs[1]?.slice(0, 16) ?? "")).stdout.split("\n")).toHaveLength(2);
    const wrong = await cases("list", "--after", "nonsense");
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('"after"') });
  });

  test("take, release and take over say who has a case; deciding another's is refused with their name", async () => {
    const ref = await park();
    const taken = await cases("take", ref);
    expect(taken.stdout).toContain(`${ref}: AWAITING_REVIEW, taken by sarah until `);
    expect((await cases("list", "--taken-by", "sarah")).stdout).toContain("taken by sarah");
    const asRita = ["--reviewer-token", ritaToken];
    const refused = await cases("reject", ref, ...asRita);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("sarah has taken case") });
    expect((await cases("take", ref, ...asRita)).code).toBe(1);
    expect((await cases("take", ref, "--over", ...asRita)).stdout).toContain("taken by rita");
    expect(await casesJson("release", ref, "--reviewer-token", adamToken)).toMatchObject({
      case: { taken_by: null },
    });
    expect(await casesJson("reject", ref, "--reason", "No.")).toMatchObject({ case: { state: "REJECTED" } });
  });

  test("approve --arguments runs what the file says, as it is written there; undo takes the approval back before that", async () => {
    const file = join(gateway.folder, "edited.json");
    const ref = await park();
    writeFileSync(file, '{ "text" : "one thing\\u0021", "n": 1.0 }\n');
    const approved = await casesJson("approve", ref, "--arguments", file);
    expect(approved).toMatchObject({ case: { state: "AUTHORIZED", run_from: expect.any(String) } });
    expect(await casesJson("show", ref)).toMatchObject({
      arguments: '{"text":"one thing\\u0021","n":1.0}',
      permissions: { undo: true },
    });
    expect((await cases("undo", ref, "--reviewer-token", ritaToken)).code).toBe(1);
    expect((await cases("undo", ref)).stdout).toBe(`${ref}: CANCELLED\n`);
    expect(words(await agent.checkStatus(ref))).toContain("The approval was taken back");
    expect(recordedCalls(record)).toEqual([]);

    const other = await park();
    for (const [text, sentence] of [
      ["{", "holds no JSON"],
      ['{"text":"x","text":"y"}', "twice"],
      ["[1]", "must be an object"],
    ] as const) {
      writeFileSync(file, text);
      const refused = await cases("approve", other, "--arguments", file);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(sentence) });
    }
    expect((await cases("approve", other, "--arguments", join(gateway.folder, "none.json"))).code).toBe(1);
    expect(await casesJson("show", other)).toMatchObject({ case: { state: "AWAITING_REVIEW" } });
  });

  test("withdraw ends a case, and events tell its story", async () => {
    const ref = await park();
    expect((await cases("withdraw", ref)).code).toBe(1);
    expect((await cases("withdraw", ref, "--reviewer-token", adamToken)).stdout).toBe(`${ref}: CANCELLED\n`);
    const story = (await cases("events", ref)).stdout;
    expect(story).toMatch(
      /case\.opened +agent first-agent.*\n.*case\.review_requested.*\n.*case\.cancelled +admin adam/,
    );
    expect(await casesJson("events", ref)).toMatchObject({ events: [{}, {}, {}], next: null });
  });

  test("suggest has nothing to say before the tenth approval, and then a rule", async () => {
    expect((await cases("suggest")).stdout).toContain("Nothing was approved ten times");
    const fresh = await gateway.addAgent("fresh-bot");
    const other = wireAgent(gateway, fresh);
    for (let i = 0; i < 10; i++) {
      const ref = refIn(await other.call("held_write_thing", `{"text":"same ${i}"}`));
      expect((await cases("approve", ref)).code).toBe(0);
    }
    const { stdout } = await cases("suggest");
    expect(stdout).toContain('agent: "fresh-bot"');
    expect(stdout).toContain("verdict: allow");
    expect(await casesJson("suggest")).toMatchObject({ suggestions: [{ approvals: 10 }] });
  });

  test("all of it is in a ledger that verifies", () => {
    expect(gateway.verifyLedger().findings).toEqual([]);
  });
});
