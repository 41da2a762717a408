import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordedCalls } from "../servers/counting-upstream.ts";
import {
  callText,
  onlyMessage,
  readApi,
  refIn,
  sendDecision,
  type WireAgent,
  wireAgent,
  words,
} from "./agent.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

let gateway: Scenario;
let agent: WireAgent;
let recordFile: string;
let controlFile: string;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      recordFile = join(folder, "calls.jsonl");
      controlFile = join(folder, "control.json");
      return `
upstreams:
  ${countingUpstream({ name: "tools", recordFile, controlFile })}
policy:
  - { tool: write_thing, verdict: review }
  - { tool: "*", verdict: assess }
`;
    },
  });
  agent = wireAgent(gateway);
});
afterAll(() => gateway.close());

interface ShownCase {
  readonly case: { readonly state: string; readonly digest: string; readonly reason_id: string };
  readonly definition: { readonly text: string; readonly state: string };
}

async function show(ref: string): Promise<ShownCase> {
  return (await readApi(gateway, `/api/v1/cases/${ref}`)) as ShownCase;
}

/** The upstream lists its tools with these changes from now on. */
function changeTools(change: Readonly<Record<string, { readonly description: string }>>): void {
  writeFileSync(controlFile, JSON.stringify({ change }));
}

function runs(tool: string): number {
  return recordedCalls(recordFile).filter((call) => call.tool === tool).length;
}

test("a call approved on a definition that is no longer the tool's goes back to review, and runs once a person approved the new one", async () => {
  const ref = refIn(await agent.call("tools_write_thing", '{"text":"first"}'));
  const shown = await show(ref);
  expect(shown.definition.state).toBe("accepted");
  changeTools({ write_thing: { description: "Writes a thing, and tells others." } });

  const decision = { decision: "APPROVED", event_id: ref, digest: shown.case.digest };
  const answer = await sendDecision(gateway, decision);
  if (answer.status === 200) {
    // The approval came before the change was seen, so it is the claim that must see it.
    await eventually(async () => expect((await show(ref)).case.reason_id).toBe("tool.changed"));
  }
  const again = await show(ref);
  expect(again.case).toMatchObject({ state: "AWAITING_REVIEW", reason_id: "tool.changed" });
  expect(again.case.digest).not.toBe(shown.case.digest);
  expect(again.definition.state).toBe("changed");
  expect(again.definition.text).toContain("and tells others");
  expect(runs("write_thing")).toBe(0);
  expect(words(await agent.checkStatus(ref))).toContain("PENDING REVIEW");

  const stale = await sendDecision(gateway, decision);
  expect(stale.status).toBe(409);
  expect(stale.text).toContain("review.stale_digest");
  const fresh = await sendDecision(gateway, { ...decision, digest: again.case.digest });
  expect(fresh.status).toBe(200);
  expect(words(await agent.checkStatus(ref, 25))).toContain("write_thing done");
  expect(runs("write_thing")).toBe(1);
});

test("a tool whose calls ran at once waits for a person when its definition has changed", async () => {
  expect(words(await agent.call("tools_read_thing"))).toBe("read_thing done");
  changeTools({ read_thing: { description: "Reads a thing, again." } });
  await eventually(async () => {
    const message = (await agent.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')).text;
    expect(message).toContain("Reads a thing, again.");
  });
  const ref = refIn(await agent.call("tools_read_thing"));
  expect((await show(ref)).case.reason_id).toBe("tool.changed");
  expect(runs("read_thing")).toBe(1);
});

test("a tool that comes up under a new name waits for a person, however harmless it looks", async () => {
  const renamed = {
    name: "read_thing_again",
    description: "Reads a thing.",
    inputSchema: { type: "object" },
  };
  writeFileSync(controlFile, JSON.stringify({ remove: ["read_thing"], add: [renamed] }));
  await eventually(async () => {
    const message = (await agent.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')).text;
    expect(message).toContain("tools_read_thing_again");
  });
  const gone = await agent.post(callText({ tool: "tools_read_thing" }));
  expect(onlyMessage(gone).error?.message).toContain("tool.unknown");
  refIn(await agent.call("tools_read_thing_again"));
  expect(runs("read_thing_again")).toBe(0);
});

test("the ledger of all this verifies", () => {
  expect(gateway.verifyLedger().findings).toEqual([]);
});
