/** Takes each framework through held calls to their results, at a real gateway. Started by start.js. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { welfareYaml } from "../../e2e/welfare.ts";
import { startGatewayProcess } from "../../servers/gateway-process.ts";
import {
  type ChatRequest,
  lastMessage,
  type ModelMove,
  type ScriptedModel,
  startScriptedModel,
} from "../../servers/scripted-chat-completions.ts";
import { aiSdk } from "./ai-sdk.ts";
import type { Conversation, Framework } from "./framework.ts";
import { inspector } from "./inspector.ts";
import { langChain } from "./langchain.ts";
import { mastra } from "./mastra.ts";
import { openAiAgents } from "./openai-agents.ts";

const FRAMEWORKS = [aiSdk, openAiAgents, langChain, mastra, inspector];

/** One tool without and one with an output schema: some clients throw when an answer does not fit the schema. */
const CALLS = [
  { tool: "request_payment_extension", done: /Payments to BEN-123 now end on/u },
  { tool: "check_payment_status", done: /"?payment_end_date/u },
];

interface World {
  readonly url: string;
  readonly agentKey: string;
  readonly reviewerToken: string;
  readonly model: ScriptedModel;
}

const folder = mkdtempSync(join(tmpdir(), "atlas-clients-"));
let failures = 0;
let days = 10;
const model = await startScriptedModel(script);
const config = join(folder, "atlas.yaml");
writeFileSync(
  config,
  welfareYaml().replace(/^policy:[\s\S]*/mu, 'policy:\n  - { tool: "*", verdict: review }\n'),
);
const gateway = await startGatewayProcess({ config, dataDir: join(folder, "data") });
try {
  const { agent, reviewer } = JSON.parse(readFileSync(join(folder, "data/first-credentials.json"), "utf8"));
  const world = { url: gateway.url, agentKey: agent.key, reviewerToken: reviewer.token, model };
  for (const framework of FRAMEWORKS) await tryOut(framework, world);
} finally {
  await gateway.stop();
  await model.close();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${FRAMEWORKS.length - failures} passed, ${failures} failed`);
// A framework may leave timers and telemetry behind.
process.exit(failures === 0 ? 0 : 1);

/** The user writes which tool to call; what the tool says is repeated to them. */
function script(request: ChatRequest): ModelMove {
  const { role, text } = lastMessage(request);
  if (role === "tool") return { say: text };
  const move: { call: string; with: Record<string, unknown> } = JSON.parse(text);
  // Some frameworks put the server's name before the tool's.
  const tool = request.tools?.find(
    ({ function: { name } }) => name === move.call || name === `atlas_${move.call}`,
  );
  return { call: tool?.function.name ?? move.call, with: move.with };
}

async function tryOut(framework: Framework, world: World): Promise<void> {
  try {
    const conversation = await framework.connect({
      mcpUrl: new URL(`${world.url}/mcp`),
      headers: { Authorization: `Bearer ${world.agentKey}` },
      modelUrl: world.model.baseUrl,
    });
    for (const { tool, done } of CALLS) await holdAndRun(conversation, { tool, done, world });
    await conversation.close();
    console.log(`ok      ${framework.name}`);
  } catch (error) {
    failures += 1;
    console.log(`FAILED  ${framework.name}`);
    console.log(error);
  }
}

async function holdAndRun(
  conversation: Conversation,
  { tool, done, world }: { tool: string; done: RegExp; world: World },
): Promise<void> {
  const args = tool === "check_payment_status" ? { beneficiary_id: "BEN-123" } : extension();
  const before = await callsSeen(world.url);
  const asked = world.model.requests.length;
  const held = await conversation.say(JSON.stringify({ call: tool, with: args }));
  assert.match(held, /PENDING REVIEW \(Ref: evt_[a-z2-7]{32}\)/u);
  assert.equal(await callsSeen(world.url), before + 1, "the call was sent once");
  assert.ok(world.model.requests.length - asked <= 2, "the model was not made to try again");

  const ref = /evt_[a-z2-7]{32}/u.exec(held)?.[0] ?? "";
  const decision = await fetch(`${world.url}/webhook/approval`, {
    method: "POST",
    headers: { authorization: `Bearer ${world.reviewerToken}`, "content-type": "application/json" },
    body: JSON.stringify({ decision: "APPROVED", event_id: ref }),
  });
  assert.equal(decision.status, 200, await decision.text());
  const result = await conversation.say(
    JSON.stringify({ call: "check_status", with: { ref, wait_seconds: 25 } }),
  );
  assert.match(result, /SUCCEEDED/u);
  assert.match(result, done);
}

function extension(): Record<string, unknown> {
  return { beneficiary_id: "BEN-123", reason: "Hardship", days: ++days };
}

/** `tools/call` requests that the gateway answered so far. */
async function callsSeen(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = [...text.matchAll(/^atlas_calls_total\{.*\} (\d+)$/gmu)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}
