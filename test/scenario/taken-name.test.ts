import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listDefinitions } from "../servers/counting-tools.ts";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { wireAgent, words } from "./agent.ts";
import { runCommand } from "./command-line.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

let gateway: Scenario;

/** Upstreams without a prefix, in this order, that offer tools of the same names. */
function yaml(folder: string, names: readonly string[]): string {
  const entry = (name: string) =>
    countingUpstream({ name, recordFile: join(folder, `${name}.jsonl`) }).replace("{", '{"prefix":"",');
  return ["upstreams:", ...names.map((name) => `  ${entry(name)}`)].join("\n");
}

beforeAll(async () => {
  gateway = await openScenario({ yaml: (folder) => yaml(folder, ["first"]) });
});
afterAll(() => gateway.close());

function runs(upstream: string): number {
  return recordedCalls(join(gateway.folder, `${upstream}.jsonl`)).length;
}

test("a name stays with the tool that had it first, whatever the order of the file, and the other is shown as quarantined", async () => {
  expect(words(await wireAgent(gateway).call("read_thing"))).toBe("read_thing done");
  await gateway.stop();
  writeFileSync(join(gateway.folder, "atlas.yaml"), yaml(gateway.folder, ["second", "first"]));
  await gateway.start();

  const list = () => runCommand(["tools", "list", "--upstream", "second", "--data", gateway.dataDir]);
  await eventually(async () => {
    expect((await list()).stdout).toMatch(
      /^quarantined +second\/read_thing .*name is taken by first\/read_thing$/m,
    );
  });
  expect((await list()).stdout).toContain(`${listDefinitions(null).length} quarantined.`);
  expect(gateway.logText()).toContain(`"quarantined":${listDefinitions(null).length}`);
  expect(words(await wireAgent(gateway).call("read_thing", '{"again":1}'))).toBe("read_thing done");
  expect([runs("first"), runs("second")]).toEqual([2, 0]);

  const accepted = await runCommand(["tools", "accept", "second/read_thing", "--data", gateway.dataDir]);
  expect(accepted.code).toBe(1);
  expect(accepted.stdout).toContain("tool.name_taken");
});

test("the name comes free when the upstream that had it is taken out of the configuration, and then waits for an admin", async () => {
  await gateway.stop();
  writeFileSync(join(gateway.folder, "atlas.yaml"), yaml(gateway.folder, ["second"]));
  await gateway.start();
  await eventually(async () => {
    expect(words(await wireAgent(gateway).call("read_thing", '{"other":1}'))).toContain("PENDING REVIEW");
  });
  const { code } = await runCommand(["tools", "accept", "second/read_thing", "--data", gateway.dataDir]);
  expect(code).toBe(0);
  expect(words(await wireAgent(gateway).call("read_thing", '{"other":2}'))).toBe("read_thing done");
  expect(runs("second")).toBe(1);
});
