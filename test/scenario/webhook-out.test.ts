import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWebhookReceiver, type WebhookReceiver } from "../../src/notify/webhook-receiver.testing.ts";
import { refIn, reject, wireAgent } from "./agent.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

const SECRET = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
const MARKER = "marker-7f3a-of-the-arguments";

let receiver: WebhookReceiver;
let gateway: Scenario;

beforeAll(async () => {
  receiver = await startWebhookReceiver();
  gateway = await openScenario({
    yaml: (folder) => `
upstreams:
  ${countingUpstream({ name: "tools", recordFile: join(folder, "calls.jsonl") })}
policy:
  - { tool: "*", verdict: review }
notify:
  webhook:
    url: ${receiver.url}
    secret: ${SECRET}
    console_url: https://atlas.example.org/console
`,
  });
});
afterAll(async () => {
  await gateway.close();
  await receiver.close();
});

interface Message {
  readonly type: string;
  readonly data: { readonly event_id: string; readonly url: string };
}

/** The genuine messages of one case, as the receiver's own check of the signature gives them. */
function messagesOf(ref: string): readonly Message[] {
  return receiver.received
    .map((message) => new Webhook(SECRET).verify(message.body, { ...message.headers }) as Message)
    .filter((message) => message.data.event_id === ref);
}

async function park(text: string): Promise<string> {
  return refIn(await wireAgent(gateway).call("tools_write_thing", JSON.stringify({ text })));
}

test("a case that needs review is announced with a signature and a link, and without its arguments", async () => {
  const ref = await park(MARKER);
  await eventually(() => expect(messagesOf(ref)).toHaveLength(1));
  const [message] = messagesOf(ref);
  expect(message?.type).toBe("review.requested");
  expect(message?.data.url).toBe(`https://atlas.example.org/console/#/cases/${ref}`);
  expect(JSON.stringify(receiver.received)).not.toContain(MARKER);

  await reject(gateway, ref, MARKER);
  await eventually(() => expect(messagesOf(ref).map((m) => m.type)).toContain("case.ended"));
  expect(JSON.stringify(receiver.received)).not.toContain(MARKER);
});

test("a message that nobody had taken when the gateway stopped is delivered by the next start, as the same message", async () => {
  receiver.plan.push("hang");
  const ref = await park("while nobody answers");
  await eventually(() => expect(messagesOf(ref)).toHaveLength(1));
  await gateway.stop();
  await gateway.start();
  await eventually(() => expect(messagesOf(ref)).toHaveLength(2));
  const ids = receiver.received.filter((m) => m.body.includes(ref)).map((m) => m.headers["webhook-id"]);
  expect(new Set(ids).size).toBe(1);
});
