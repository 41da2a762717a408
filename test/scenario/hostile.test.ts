import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  approve,
  type DecisionText,
  readAnswer,
  readApi,
  refIn,
  reject,
  sendDecision,
  type WireAgent,
  wireAgent,
  words,
} from "./agent.ts";
import { eventually } from "./eventually.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

const MARKER = "argument-marker-5c1d";
const REASON_MARKER = "reason-marker-77aa";
const UNKNOWN_REF = "evt_".padEnd(36, "a");

let gateway: Scenario;
let agent: WireAgent;
let rita: string;
let operator: string;
let auditor: string;
const credentials: string[] = [];

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => `
upstreams:
  ${countingUpstream({ name: "live", recordFile: join(folder, "live.jsonl") })}
  ${countingUpstream({ name: "held", recordFile: join(folder, "held.jsonl") })}
policy:
  - { upstream: live, verdict: allow }
  - { upstream: held, verdict: review }
`,
  });
  agent = wireAgent(gateway);
  rita = await gateway.addPerson("rita", ["reviewer"]);
  auditor = await gateway.addPerson("otto", ["auditor"]);
  operator = await gateway.addPerson("olga", ["reviewer", "admin"]);
  credentials.push(gateway.agentKey, gateway.reviewerToken, rita, operator, auditor);
});
afterAll(() => gateway.close());

let parked = 0;

async function park(): Promise<string> {
  parked += 1;
  return refIn(await agent.call("held_write_thing", JSON.stringify({ text: `${MARKER} ${parked}` })));
}

interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

const AGENTS_ENDPOINTS: readonly Endpoint[] = [
  { method: "POST", path: "/mcp", body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' },
  { method: "GET", path: "/mcp" },
  { method: "DELETE", path: "/mcp" },
  { method: "GET", path: "/mcp/sse" },
  { method: "POST", path: "/mcp/messages?sessionId=0", body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' },
];
const DECISION = JSON.stringify({ decision: "APPROVED", event_id: UNKNOWN_REF });
const PEOPLES_ENDPOINTS: readonly Endpoint[] = [
  { method: "POST", path: "/webhook/approval", body: DECISION },
  { method: "GET", path: "/api/v1/cases" },
  { method: "GET", path: `/api/v1/cases/${UNKNOWN_REF}` },
  { method: "POST", path: `/api/v1/cases/${UNKNOWN_REF}/decision`, body: DECISION },
  { method: "POST", path: `/api/v1/cases/${UNKNOWN_REF}/withdraw`, body: "{}" },
  { method: "GET", path: "/api/v1/events" },
  { method: "GET", path: "/api/v1/session" },
];

/** Status of a request whose answer, if it is a stream, nobody reads. */
async function statusOf(endpoint: Endpoint, headers: Readonly<Record<string, string>>): Promise<number> {
  const ended = new AbortController();
  const response = await fetch(gateway.url + endpoint.path, {
    method: endpoint.method,
    headers: {
      accept: "application/json, text/event-stream",
      ...(endpoint.body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(endpoint.body !== undefined && { body: endpoint.body }),
    signal: ended.signal,
  });
  ended.abort();
  return response.status;
}

const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });

describe.each([...AGENTS_ENDPOINTS, ...PEOPLES_ENDPOINTS])("$method $path", (endpoint) => {
  test("is closed to whoever shows no credential, an unknown one, or one in the wrong place", async () => {
    const unknown = `atlas_agent_${"x".repeat(52)}`;
    expect(await statusOf(endpoint, {})).toBe(401);
    expect(await statusOf(endpoint, bearer(unknown))).toBe(401);
    expect(await statusOf(endpoint, { authorization: gateway.agentKey })).toBe(401);
    expect(await statusOf(endpoint, { cookie: `atlas_session=${gateway.reviewerToken}` })).toBe(401);
    const path = `${endpoint.path}${endpoint.path.includes("?") ? "&" : "?"}token=${gateway.reviewerToken}`;
    expect(await statusOf({ ...endpoint, path }, {})).toBe(401);
  });

  test("is closed to a credential of the other kind", async () => {
    const isForAgents = AGENTS_ENDPOINTS.includes(endpoint);
    expect(await statusOf(endpoint, bearer(isForAgents ? gateway.reviewerToken : gateway.agentKey))).toBe(
      403,
    );
  });

  test("answers neither a foreign Host nor a page of a foreign origin", async () => {
    const key = AGENTS_ENDPOINTS.includes(endpoint) ? gateway.agentKey : gateway.reviewerToken;
    expect(await statusOf(endpoint, { ...bearer(key), origin: "https://evil.example" })).toBe(403);
    expect(await statusOf(endpoint, { ...bearer(key), origin: "null" })).toBe(403);
    expect(await statusWithHost(endpoint, key, "evil.example")).toBe(403);
    expect(await statusWithHost(endpoint, key, "127.0.0.1.evil.example:8000")).toBe(403);
  });
});

/** `fetch` does not let anybody choose the Host. */
function statusWithHost(endpoint: Endpoint, key: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(
      gateway.url + endpoint.path,
      { method: endpoint.method, headers: { ...bearer(key), host, "content-type": "application/json" } },
      (response) => {
        response.destroy();
        resolve(response.statusCode);
      },
    );
    sent.once("error", reject);
    sent.end(endpoint.body);
  });
}

describe("a decision", () => {
  test("is not the agent's to make, whatever it says it is", async () => {
    const ref = await park();
    const answer = await sendDecision(gateway, { decision: "APPROVED", event_id: ref }, gateway.agentKey);
    expect(answer.status).toBe(403);
    expect(words(await agent.checkStatus(ref))).toContain("PENDING REVIEW");
  });

  test("is not made by an auditor, nor by the owner of the agent that called", async () => {
    const owned = wireAgent(gateway, await gateway.addAgent("olgas-bot", "olga"));
    const ref = refIn(await owned.call("held_write_thing"));
    for (const token of [auditor, operator]) {
      const answer = await sendDecision(gateway, { decision: "APPROVED", event_id: ref }, token);
      expect(answer.status).toBe(403);
      expect(answer.text).toContain("review.not_entitled");
    }
    expect(words(await owned.checkStatus(ref))).toContain("PENDING REVIEW");
    await reject(gateway, ref, REASON_MARKER);
  });

  test("on an unknown reference is answered 404, however that is spelled", async () => {
    for (const ref of [UNKNOWN_REF, "evt_1", "evt_../../etc"]) {
      const answer = await sendDecision(gateway, { decision: "APPROVED", event_id: ref });
      expect(answer.status).toBe(404);
      expect(answer.text).toContain("case.unknown");
    }
  });

  test("on a digest that is not the one on record is answered 409, and nothing runs", async () => {
    const ref = await park();
    const digest = "0".repeat(64);
    const answer = await sendDecision(gateway, { decision: "APPROVED", event_id: ref, digest });
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.text)).toMatchObject({
      error: { code: "review.stale_digest", state: "AWAITING_REVIEW" },
    });
    expect(words(await agent.checkStatus(ref))).toContain("PENDING REVIEW");
  });

  test("while the call runs is answered 409 with that state; the same person's again as the first time", async () => {
    const untilFile = join(gateway.folder, "go");
    const ref = refIn(await agent.call("held_slow_thing", JSON.stringify({ until_file: untilFile })));
    await approve(gateway, ref);
    await eventually(async () => {
      expect(await readApi(gateway, `/api/v1/cases/${ref}`)).toMatchObject({ case: { state: "EXECUTING" } });
    });
    await approve(gateway, ref);
    await expectNotOpen({ decision: "APPROVED", event_id: ref }, rita, "EXECUTING");
    await expectNotOpen({ decision: "REJECTED", event_id: ref }, gateway.reviewerToken, "EXECUTING");
    writeFileSync(untilFile, "");
    expect(words(await agent.checkStatus(ref, 25))).toContain("slow done");
    await approve(gateway, ref);
    await expectNotOpen({ decision: "APPROVED", event_id: ref }, rita, "SUCCEEDED");
  });

  test("after the end of a case is answered 409 with the state that stands", async () => {
    const rejected = await park();
    await reject(gateway, rejected, REASON_MARKER);
    await expectNotOpen({ decision: "APPROVED", event_id: rejected }, gateway.reviewerToken, "REJECTED");
    await expectNotOpen({ decision: "REJECTED", event_id: rejected }, rita, "REJECTED");
    await reject(gateway, rejected, REASON_MARKER);

    const withdrawn = await park();
    await agent.call("withdraw_request", JSON.stringify({ ref: withdrawn }));
    await expectNotOpen({ decision: "APPROVED", event_id: withdrawn }, rita, "CANCELLED");

    const lost = refIn(await agent.call("held_die_after"));
    await approve(gateway, lost);
    expect(words(await agent.checkStatus(lost, 25))).toContain(`UNKNOWN (Ref: ${lost})`);
    await expectNotOpen({ decision: "APPROVED", event_id: lost }, rita, "UNKNOWN");
  });

  const ok = { decision: "APPROVED", event_id: UNKNOWN_REF };
  test.each<[string, string, string]>([
    ["no decision", JSON.stringify({ event_id: UNKNOWN_REF }), "decision"],
    ["another decision", JSON.stringify({ ...ok, decision: "approved" }), "decision"],
    ["no reference", JSON.stringify({ decision: "APPROVED" }), "event_id"],
    ["a number for a reference", JSON.stringify({ ...ok, event_id: 7 }), "event_id"],
    ["a reference of another kind", JSON.stringify({ ...ok, event_id: "call_1" }), "event_id"],
    ["an unknown field", JSON.stringify({ ...ok, force: true }), "force"],
    ["a reason that is no text", JSON.stringify({ ...ok, reason: {} }), "reason"],
    ["a reason without end", JSON.stringify({ ...ok, reason: "x".repeat(2_001) }), "reason"],
    ["a digest that is none", JSON.stringify({ ...ok, digest: "abc" }), "digest"],
    ["edited arguments", JSON.stringify({ ...ok, arguments: [] }), "arguments"],
    [
      "a field twice",
      `{"decision":"REJECTED","decision":"APPROVED","event_id":"${UNKNOWN_REF}"}`,
      "/decision",
    ],
    ["a prototype", `{"decision":"APPROVED","event_id":"${UNKNOWN_REF}","__proto__":{}}`, "/__proto__"],
    ["an array", "[]", "JSON object"],
    ["null", "null", "JSON object"],
    ["half an object", '{"decision":', "not valid JSON"],
    ["nothing", "", ""],
  ])("with %s is answered 400 with the place", async (_what, body, place) => {
    const response = await fetch(`${gateway.url}/webhook/approval`, {
      method: "POST",
      headers: { ...bearer(gateway.reviewerToken), "content-type": "application/json" },
      body,
    });
    const answer = await readAnswer(response);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("request.invalid");
    expect(answer.text).toContain(place);
  });
});

async function expectNotOpen(decision: DecisionText, token: string, state: string): Promise<void> {
  const answer = await sendDecision(gateway, decision, token);
  expect(answer.status, answer.text).toBe(409);
  expect(JSON.parse(answer.text)).toMatchObject({ error: { code: "review.not_open", state } });
}

test("another agent's case does not exist for an agent, by any of its ways", async () => {
  const ref = await park();
  const other = wireAgent(gateway, await gateway.addAgent("nosy"));
  const missing = await other.checkStatus(UNKNOWN_REF);
  expect(await other.checkStatus(ref)).toEqual(missing);
  expect(words(missing)).toContain("case.unknown");
  expect(await other.call("withdraw_request", JSON.stringify({ ref }))).toEqual(missing);
  expect(words(await other.call("check_status"))).not.toContain(ref);
  expect(words(await agent.checkStatus(ref))).toContain("PENDING REVIEW");
});

describe("after all of it", () => {
  test("the gateway answers", async () => {
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    expect(words(await agent.call("live_read_thing"))).toBe("read_thing done");
  });

  test("the log and the ledger hold no credential, no argument and no reason", () => {
    expect(gateway.logText()).toContain("Request refused.");
    for (const secret of [...credentials, MARKER, REASON_MARKER]) {
      expect(gateway.logText()).not.toContain(secret);
      expect(gateway.ledgerText()).not.toContain(secret);
    }
  });

  test("the ledger verifies", () => {
    const report = gateway.verifyLedger();
    expect(report.findings).toEqual([]);
    expect(report.counts.cases).toBeGreaterThan(8);
  });
});
