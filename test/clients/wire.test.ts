import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  approve,
  callText,
  onlyMessage,
  refIn,
  type WireAgent,
  type WireMessage,
  wireAgent,
  words,
} from "../scenario/agent.ts";
import { type EventStream, openEventStream } from "../scenario/event-stream.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { recordedCalls } from "../servers/counting-upstream.ts";
import { rawValue } from "../servers/raw-frame.ts";

let gateway: Scenario;
let agent: WireAgent;
let recordFile: string;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      recordFile = join(folder, "calls.jsonl");
      return `
upstreams:
  ${countingUpstream({ name: "live", recordFile })}
  ${countingUpstream({ name: "held", recordFile })}
policy:
  - { upstream: live, verdict: allow }
  - { upstream: held, verdict: review }
`;
    },
  });
  agent = wireAgent(gateway);
});
afterAll(() => gateway.close());

const VENDOR_RESULT =
  '{"content":[{"type":"x-vendor-block","payload":{"deep":[1,{"two":2}]},"unknown":true},' +
  '{"type":"text","text":"plain","annotations":{"vendor":"kept"}}],"structuredContent":{"b":1,"a":[null]},' +
  '"_meta":{"vendor.example/trace":{"id":"t-1"}},"x-top-level":{"kept":true}}';
const VENDOR_ERROR =
  '{"code":-32042,"message":"the thing is broken","data":{"why":"vendor reason","list":[1]}}';

/** Arguments that a parse and a print would change: spelling of numbers, escapes and an order that is no object's. */
const ODD_ARGUMENTS = String.raw`{"b":1.10,"1":1E2,"a":"\u0041\/","n":-0.0,"deep":[{}, [] ]}`;
const ODD_META = String.raw`{"vendor.example/trace":{"z":1.50,"a":"\u0042"},"progressToken":7}`;

describe("bytes on the wire", () => {
  test("a vendor's result reaches the agent byte for byte", async () => {
    const message = onlyMessage(await agent.post(callText({ tool: "live_vendor_thing" })));
    expect(rawValue(message.text, ["result"])).toBe(VENDOR_RESULT);
  });

  test("a vendor's JSON-RPC error reaches the agent byte for byte", async () => {
    const message = onlyMessage(await agent.post(callText({ tool: "live_error_thing" })));
    expect(rawValue(message.text, ["error"])).toBe(VENDOR_ERROR);
  });

  test("arguments and _meta reach the upstream as they were sent, at once and after an approval", async () => {
    const params = { argumentsText: ODD_ARGUMENTS, metaText: ODD_META };
    onlyMessage(await agent.post(callText({ tool: "live_read_thing", ...params })));
    const held = onlyMessage(await agent.post(callText({ tool: "held_read_thing", ...params })));
    const ref = refIn(held.result ?? {});
    await approve(gateway, ref);
    expect(words(await agent.checkStatus(ref, 25))).toContain("read_thing done");
    const calls = recordedCalls(recordFile).filter((call) => call.tool === "read_thing");
    expect(calls).toHaveLength(2);
    for (const call of calls) {
      expect(call.arguments).toBe(ODD_ARGUMENTS.replaceAll(" ", ""));
      expect(call.meta).toContain(String.raw`"vendor.example/trace":{"z":1.50,"a":"\u0042"}`);
    }
  });

  test("a vendor's result of an approved run is in check_status, byte for byte", async () => {
    const ref = refIn(await agent.call("held_vendor_thing"));
    await approve(gateway, ref);
    const argumentsText = JSON.stringify({ ref, wait_seconds: 25 });
    const message = onlyMessage(await agent.post(callText({ tool: "check_status", argumentsText })));
    expect(rawValue(message.text, ["result", "structuredContent", "answer", "result"])).toBe(VENDOR_RESULT);
  });

  test("a vendor's JSON-RPC error of an approved run is in check_status, byte for byte", async () => {
    const ref = refIn(await agent.call("held_error_thing"));
    await approve(gateway, ref);
    const argumentsText = JSON.stringify({ ref, wait_seconds: 25 });
    const message = onlyMessage(await agent.post(callText({ tool: "check_status", argumentsText })));
    expect(rawValue(message.text, ["result", "structuredContent", "answer", "error"])).toBe(VENDOR_ERROR);
    expect(words(message.result ?? {})).toContain(`FAILED (Ref: ${ref})`);
  });
});

describe("protocol versions", () => {
  test.each(["2025-03-26", "2025-06-18", "2025-11-25"])(
    "%s is spoken to a client that asks for it",
    async (version) => {
      const params = {
        protocolVersion: version,
        capabilities: {},
        clientInfo: { name: "wire", version: "1.0.0" },
      };
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
      expect(onlyMessage(await agent.post(body)).result).toMatchObject({ protocolVersion: version });
    },
  );

  test.each(["1", '"one"', '"\\u0031"', "1.0", "1e0"])("a request's id may be written %s", async (idText) => {
    const message = onlyMessage(await agent.post(callText({ tool: "live_read_thing", idText })));
    expect(message.error).toBeUndefined();
    expect(message.result).toMatchObject({ content: [{ type: "text", text: "read_thing done" }] });
    expect(message.id).toEqual(JSON.parse(idText));
  });
});

describe("a legacy event stream", () => {
  test("belongs to the agent that opened it: for another one it does not exist", async () => {
    const stream = await openEventStream(gateway, gateway.agentKey);
    const address = await stream.endpoint();
    const otherKey = await gateway.addAgent("stranger");
    const body = callText({ tool: "live_write_thing" });
    const post = (key: string, path: string) =>
      fetch(`${gateway.url}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body,
      });
    const foreign = await post(otherKey, address);
    const missing = await post(otherKey, "/mcp/messages?sessionId=00000000000000000000000000000000");
    expect(foreign.status).toBe(404);
    expect(await foreign.text()).toBe(await missing.text());
    expect(recordedCalls(recordFile).filter((call) => call.tool === "write_thing")).toEqual([]);

    expect((await post(gateway.agentKey, address)).status).toBe(202);
    expect(words((await responseOn(stream)).result ?? {})).toBe("write_thing done");
    await stream.close();
  });

  test("does not announce the end of a call whose answer is on its way", async () => {
    const stream = await openEventStream(gateway, gateway.agentKey);
    await fetch(gateway.url + (await stream.endpoint()), {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.agentKey}`, "content-type": "application/json" },
      body: callText({ tool: "live_read_thing" }),
    });
    expect(await stream.next()).toMatchObject({ id: 1, result: { content: [{ text: "read_thing done" }] } });
    await stream.close();
  });
});

/** The next answer; what the gateway tells of its own accord is passed over. */
async function responseOn(stream: EventStream): Promise<WireMessage> {
  for (;;) {
    const message = await stream.next();
    if (message.method === undefined) return message;
  }
}
