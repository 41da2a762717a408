import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { welfareYaml } from "../../test/e2e/welfare.ts";
import { approve, reject } from "../../test/scenario/agent.ts";
import { eventually } from "../../test/scenario/eventually.ts";
import { openScenario, type Scenario } from "../../test/scenario/gateway.ts";
import {
  type ChatRequest,
  lastMessage,
  type ModelMove,
  type ScriptedModel,
  startScriptedModel,
} from "../../test/servers/scripted-chat-completions.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const CALL = "request_payment_extension";

let gateway: Scenario;
let model: ScriptedModel;
let child: ChildProcessWithoutNullStreams;
let said = "";

beforeAll(async () => {
  gateway = await openScenario({ yaml: welfareYaml });
});
afterEach(async () => {
  if (child.exitCode === null) {
    child.stdin.end();
    await once(child, "close");
  }
  await model.close();
});
afterAll(() => gateway.close());

async function startAgent(params: {
  readonly script: (request: ChatRequest) => ModelMove;
  readonly key?: string;
  readonly openAiKey?: string;
}): Promise<void> {
  model = await startScriptedModel(params.script);
  const env = {
    PATH: process.env["PATH"],
    ATLAS_URL: gateway.url,
    ATLAS_API_KEY: params.key ?? gateway.agentKey,
    AGENT_MODEL: "scripted",
    AGENT_MODEL_URL: model.baseUrl,
    OPENAI_API_KEY: params.openAiKey ?? "",
  };
  said = "";
  child = spawn(process.execPath, [MAIN], { env, cwd: gateway.folder });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  }
  await eventually(() => expect(said).toContain("you> "));
}

/** Types a line and waits for the answer. @returns what was said since */
async function type(line: string): Promise<string> {
  const from = said.length;
  child.stdin.write(`${line}\n`);
  await eventually(() => expect(said.slice(from)).toMatch(/you> $/u));
  return said.slice(from);
}

/** A model that calls the tool when its user asks, and repeats to them what the tool said. */
function obedient(days: number): (request: ChatRequest) => ModelMove {
  return (request) => {
    const { role, text } = lastMessage(request);
    if (role === "tool") return { say: `The tool says: ${text}` };
    return { call: CALL, with: { beneficiary_id: "BEN-123", reason: "Hardship", days } };
  };
}

/** `tools/call` requests that the gateway answered so far, by its own count. */
async function callsSeen(): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const counts = [...text.matchAll(/^atlas_calls_total\{.*\} (\d+)$/gmu)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

function refIn(text: string): string {
  return /evt_[a-z2-7]{32}/u.exec(text)?.[0] ?? "";
}

describe("the example agent", () => {
  test("tells its user that a human decides, and brings the result when they have", async () => {
    await startAgent({ script: obedient(11), openAiKey: "sk-for-the-model" });
    const held = await type("Extend the payments of BEN-123.");
    expect(held).toMatch(/\* PENDING REVIEW \(Ref: evt_[a-z2-7]{32}\): a human has to decide/u);
    expect(held).toMatch(/agent> The tool says: .*PENDING REVIEW/u);
    const ref = refIn(held);
    expect(await type("/status")).toContain(`Waiting for a human: ${ref}`);

    await approve(gateway, ref);
    const news = await type("/wait");
    expect(news).toContain(`* SUCCEEDED (Ref: ${ref})`);
    expect(news).toMatch(/agent> The tool says: SUCCEEDED .*Payments to BEN-123 now end on/su);
    expect(news).toContain("Nothing waits.");
    expect(new Set(model.keys)).toEqual(new Set(["Bearer sk-for-the-model"]));
  });

  test("works by the governance protocol of the gateway", async () => {
    await startAgent({ script: () => ({ say: "Hello." }) });
    expect(await type("Good morning.")).toContain("agent> Hello.");
    const [first] = model.requests;
    expect(first?.messages[0]).toMatchObject({ role: "system" });
    expect(JSON.stringify(first?.messages[0])).toContain(
      "Do not send the same call again while it is pending",
    );
    expect(first?.tools?.map((tool) => tool.function.name)).toEqual(
      expect.arrayContaining([CALL, "check_status", "withdraw_request"]),
    );
  });

  test("sends a call once, however often its model tries", async () => {
    const key = await gateway.addAgent("stubborn-bot");
    let tries = 0;
    const script = (request: ChatRequest): ModelMove => {
      const { role, text } = lastMessage(request);
      if (role === "tool" && text.includes("CANCELLED")) return { say: "Withdrawn." };
      if (++tries > 4) return { say: "I give up." };
      return { call: CALL, with: { beneficiary_id: "BEN-456", reason: "Again" } };
    };
    await startAgent({ script, key });
    const seen = await callsSeen();
    const turn = await type("Extend it.");
    expect(turn).toContain("I give up.");
    expect(turn.match(/PENDING REVIEW/gu)).toHaveLength(1);
    expect(model.requests).toHaveLength(5);
    expect(await callsSeen()).toBe(seen + 1);
  });

  test("finds what waits from an earlier conversation, and says why it was rejected", async () => {
    const key = await gateway.addAgent("forgetful-bot");
    await startAgent({ script: obedient(12), key });
    const ref = refIn(await type("Extend the payments."));
    child.stdin.write("/quit\n");
    expect(await once(child, "close")).toEqual([0, null]);
    await model.close();

    await startAgent({ script: obedient(12), key });
    expect(await type("/status")).toContain(ref);
    await reject(gateway, ref, "No proof of hardship.");
    // News comes between two turns, whatever the user says.
    const news = await type("");
    expect(news).toContain(`* REJECTED (Ref: ${ref})`);
    expect(news).toMatch(/agent> The tool says: REJECTED .*No proof of hardship\./su);
    const roles = model.requests.at(-1)?.messages.map(({ role }) => role);
    expect(roles).toEqual(["system", "assistant", "tool"]);
  });
});
