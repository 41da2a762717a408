import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CaseRef } from "../../src/domain/ids.ts";
import {
  connectEngine,
  FALLBACK_KEY,
  type InngestServer,
  type InngestUnderTest,
  openInngestServer,
  SIGNING_KEY,
} from "../../src/engines/inngest.testing.ts";
import { driveCase } from "../../src/governance/drive-case.ts";
import { governCall } from "../../src/governance/govern-call.ts";
import { recordDecision } from "../../src/governance/record-decision.ts";
import { createRig, type Rig } from "../../src/governance/rig.testing.ts";
import { createFakeInngest } from "../servers/fake-inngest.ts";

/** An argument that must be nowhere outside the gateway. */
const SECRET = 918273645;
const MINUTE_MS = 60_000;
const NO_RETRY = { "x-inngest-no-retry": "true" };
const HOUR_MS = 60 * MINUTE_MS;

let rig: Rig;
let server: InngestServer;
let engine: InngestUnderTest;
let driven: CaseRef[];

async function startGateway(): Promise<void> {
  driven = [];
  engine = connectEngine(rig, server, (ref) => {
    driven.push(ref);
    return driveCase(ref, rig.deps);
  });
  await engine.start();
}

beforeEach(async () => {
  rig = await createRig();
  server = openInngestServer(rig, [String(SECRET), '"sarah"']);
  await startGateway();
  await engine.settle();
});
afterEach(async () => {
  await engine.close();
  await rig.dispose();
  if (server.fake.violations.length > 0) throw new Error(server.fake.violations.join("; "));
});

let calls = 0;
async function park(): Promise<CaseRef> {
  const answer = await governCall(
    {
      agentId: rig.agentId,
      exposedName: "send_money",
      argumentsText: `{"amount":${SECRET}.${++calls}}`,
      metaText: null,
    },
    rig.deps,
  );
  if (answer.kind !== "pending") throw new Error(`not pending but ${answer.kind}`);
  return answer.case.ref;
}
const decide = (ref: CaseRef, decision: "APPROVED" | "REJECTED" = "APPROVED") =>
  recordDecision(
    { ref, personId: rig.reviewer, decision, digestShown: null, reason: null },
    { ...rig.deps, engine, editing: rig.deps, singleOperator: false, undoWithinMs: 0 },
  );
const stateOf = async (ref: CaseRef) => (await rig.store.getCase(ref))?.state;
const runsOf = (ref: CaseRef) => server.fake.runs.filter((run) => run.event.data["event_id"] === ref);
const eventsOf = (ref: CaseRef | undefined, name: string) =>
  server.fake.events.filter((event) => event.name === name && event.data["event_id"] === ref);

/** Lets time pass in steps, so that each retry is made when it is due. */
async function pass(ms: number, stepMs = MINUTE_MS): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    rig.clock.advance(Math.min(stepMs, ms - passed));
    await engine.settle();
  }
}

describe("a run as its operator sees it", () => {
  test("goes from assess through the wait to execute and finalize, and says how it ended", async () => {
    const ref = await park();
    const other = await park();
    await engine.settle();
    expect(runsOf(ref)[0]?.path).toEqual(["assess", "open review"]);
    expect(eventsOf(ref, "atlas/review.requested")).toHaveLength(1);
    await decide(ref);
    await engine.settle();
    const [run] = runsOf(ref);
    expect(run?.fn).toMatchObject({ id: "atlas-governance-governance-workflow", name: "handle_governance" });
    expect(run?.path).toEqual(["assess", "open review", "wait for the decision", "execute", "finalize"]);
    expect(run?.output).toMatchObject({
      event_id: ref,
      tool: "bank/send_money",
      state: "SUCCEEDED",
      risk_score: 85,
    });
    expect(JSON.stringify(run?.output)).toMatch(/"reviewer":"reviewer-[0-9a-f]{12}"/);
    expect(await stateOf(other)).toBe("AWAITING_REVIEW");
    expect(runsOf(other)[0]?.status).toBe("running");
    expect(rig.upstreams.received).toHaveLength(1);
  });

  test("ends when the case is rejected or withdrawn", async () => {
    const rejected = await park();
    const withdrawn = await park();
    await engine.settle();
    await decide(rejected, "REJECTED");
    await rig.store.withdraw({ ref: withdrawn, actor: { kind: "agent", id: rig.agentId } });
    await engine.settle();
    expect(runsOf(rejected)[0]).toMatchObject({ status: "completed", output: { state: "REJECTED" } });
    expect(runsOf(withdrawn)[0]).toMatchObject({ status: "completed", output: { state: "CANCELLED" } });
    expect(rig.upstreams.received).toHaveLength(0);
  });
});

describe("what others send", () => {
  test("a forged or malformed decision changes nothing and ends nothing", async () => {
    const ref = await park();
    await engine.settle();
    const forged = [
      { event_id: ref, decision: "APPROVED", state: "AUTHORIZED", reviewer: "reviewer-1" },
      { event_id: ref, decision: { toString: "x" } },
      { event_id: ref },
      { event_id: [ref] },
      {},
    ];
    for (const data of forged) {
      server.fake.receive({ name: "atlas/sarah.decision", data });
      await engine.settle();
    }
    expect(await stateOf(ref)).toBe("AWAITING_REVIEW");
    expect(driven).toEqual([]);
    expect(runsOf(ref)[0]?.status).toBe("running");
    await decide(ref);
    await engine.settle();
    expect(await stateOf(ref)).toBe("SUCCEEDED");
    expect(rig.upstreams.received).toHaveLength(1);
  });

  test("a forged trigger runs nothing", async () => {
    const ref = await park();
    await engine.settle();
    const unknown = `evt_${"a".repeat(32)}`;
    for (const event_id of [ref, unknown, "evt_short", 7, null]) {
      for (const generation of [1, 2, 99, "1", undefined])
        server.fake.receive({ name: "atlas/tool.execution_requested", data: { event_id, generation } });
    }
    await engine.settle();
    expect(await stateOf(ref)).toBe("AWAITING_REVIEW");
    expect(rig.upstreams.received).toHaveLength(0);
    await decide(ref);
    await engine.settle();
    expect(await stateOf(ref)).toBe("SUCCEEDED");
    expect(rig.upstreams.received).toHaveLength(1);
  });
});

describe("the endpoint", () => {
  const url = "http://gateway.test/api/inngest?fnId=atlas-governance-governance-workflow&stepId=step";
  const body = { event: { name: "x", data: {} }, events: [], steps: {}, ctx: { run_id: "r", attempt: 0 } };
  const ask = async (method: string, signature: string | null, text = JSON.stringify(body)) => {
    const headers = { host: "gateway.test", ...(signature !== null && { "x-inngest-signature": signature }) };
    const answer = await engine.handle(
      new Request(url, { method, headers, ...(method === "POST" && { body: text }) }),
    );
    await answer.text();
    return answer.status;
  };
  const signedWith = (signingKey: string, atMs?: number) =>
    createFakeInngest({ nowMs: () => 0, eventKey: "", signingKey, call: () => Promise.reject() }).sign(
      body,
      atMs,
    );

  test("answers nobody who does not sign, signs wrongly, or signed too long ago", async () => {
    const stranger = signedWith(`signkey-test-${"00".repeat(32)}`);
    const sixMinutesMs = 6 * MINUTE_MS;
    const bad = [
      null,
      "",
      "t=1&s=2",
      stranger,
      signedWith(SIGNING_KEY, Date.now() - sixMinutesMs),
      signedWith(SIGNING_KEY, Date.now() + sixMinutesMs),
    ];
    for (const signature of bad) {
      expect(await ask("GET", signature)).toBe(401);
      expect(await ask("POST", signature)).toBe(401);
    }
    const tampered = JSON.stringify({ ...body, ctx: { run_id: "another", attempt: 0 } });
    expect(await ask("POST", signedWith(SIGNING_KEY), tampered)).toBe(401);
  });

  test("answers whoever signs with the key, or with the one before it", async () => {
    expect(await ask("POST", signedWith(SIGNING_KEY))).toBe(200);
    expect(await ask("POST", signedWith(FALLBACK_KEY))).toBe(200);
  });

  test("a signed call that is replayed changes nothing", async () => {
    const recorded: { readonly url: string; readonly init: RequestInit }[] = [];
    const handle = server.handle.bind(server);
    server.handle = async (request) => {
      const text = await request.clone().text();
      recorded.push({ url: request.url, init: { method: "POST", headers: request.headers, body: text } });
      return handle(request);
    };
    const ref = await park();
    const refused = await park();
    await engine.settle();
    await decide(ref);
    await decide(refused, "REJECTED");
    await engine.settle();
    const before = JSON.stringify([await rig.store.getCase(ref), await rig.store.getCase(refused)]);
    for (const { url: target, init } of recorded) {
      const answer = await handle(new Request(target, init));
      expect(answer.status).not.toBe(401);
    }
    await engine.settle();
    expect(JSON.stringify([await rig.store.getCase(ref), await rig.store.getCase(refused)])).toBe(before);
    expect(rig.upstreams.received).toHaveLength(1);
  });
});

/** States of the cases, and how often the upstream was called for how many different calls. */
async function outcome(refs: readonly CaseRef[]) {
  const states = new Set<string | undefined>();
  for (const ref of refs) states.add(await stateOf(ref));
  const texts = rig.upstreams.received.map((call) => call.argumentsText);
  return { states: [...states], calls: texts.length, different: new Set(texts).size };
}
const allOnce = (refs: readonly CaseRef[]) => ({
  states: ["SUCCEEDED"],
  calls: refs.length,
  different: refs.length,
});

describe("events go wrong", () => {
  const crowd = async () => Promise.all([park(), park(), park(), park()]);

  test("twice: every event, and every call", async () => {
    Object.assign(server.fake.faults, { duplicateEvents: true, duplicateCalls: true });
    const refs = await crowd();
    await engine.settle();
    for (const ref of refs) await decide(ref);
    await engine.settle();
    expect(await outcome(refs)).toEqual(allOnce(refs));
  });

  test.each(["as sent", "reversed"] as const)("late, %s", async (order) => {
    server.fake.faults.holdEvents = true;
    const refs = await crowd();
    await engine.settle();
    for (const ref of refs) await decide(ref);
    await engine.settle();
    server.fake.deliverHeld(order);
    await engine.settle();
    await pass(10 * MINUTE_MS);
    expect(await outcome(refs)).toEqual(allOnce(refs));
  });

  test("lost: the trigger, or the wake", async () => {
    server.fake.faults.loseEvents = 2;
    const refs = [await park(), await park()];
    await engine.settle();
    expect(server.fake.runs).toEqual([]);
    await pass(MINUTE_MS);
    expect(server.fake.runs.length).toBe(2);
    server.fake.faults.loseEvents = 2;
    for (const ref of refs) await decide(ref);
    await engine.settle();
    expect(rig.upstreams.received).toHaveLength(0);
    await pass(MINUTE_MS);
    expect(await outcome(refs)).toEqual(allOnce(refs));
  });

  test("answers of the gateway are lost, so that every step runs again", async () => {
    const refs = await crowd();
    await engine.settle();
    server.fake.faults.loseAnswers = 20;
    for (const ref of refs) await decide(ref);
    await pass(2 * HOUR_MS);
    expect(await outcome(refs)).toEqual(allOnce(refs));
  });

  test("the server forgets everything: approved cases get another run", async () => {
    const refs = await crowd();
    await engine.settle();
    server.fake.forgetEverything();
    for (const ref of refs) await decide(ref);
    await pass(30 * MINUTE_MS);
    expect(await outcome(refs)).toEqual(allOnce(refs));
    expect(eventsOf(refs[0], "atlas/tool.execution_requested").map((event) => event.id)).toContain(
      `${refs[0]}:run:2`,
    );
  });

  test("a decision before the run has started", async () => {
    server.fake.faults.holdEvents = true;
    const ref = await park();
    await decide(ref);
    await engine.settle();
    server.fake.deliverHeld("as sent");
    await engine.settle();
    expect(await outcome([ref])).toEqual(allOnce([ref]));
  });
});

describe("outages", () => {
  test("Inngest is down for hours: deadlines fire all the same, and what may still run does so afterwards", async () => {
    const approved = await park();
    const left = await park();
    await engine.settle();
    server.fake.faults.down = true;
    await decide(approved);
    const during = await park();
    await pass(2 * HOUR_MS, HOUR_MS);
    // An hour is what the rig gives an approved call to run.
    expect(await stateOf(approved)).toBe("EXPIRED");
    await decide(during);
    await pass(HOUR_MS / 2, HOUR_MS / 2);
    expect(await stateOf(during)).toBe("AUTHORIZED");
    server.fake.faults.down = false;
    await pass(MINUTE_MS);
    expect(await outcome([during])).toEqual(allOnce([during]));
    server.fake.faults.down = true;
    await pass(24 * HOUR_MS, 12 * HOUR_MS);
    expect(await stateOf(left)).toBe("EXPIRED");
    server.fake.faults.down = false;
    await pass(10 * MINUTE_MS);
    expect(server.fake.runs.filter((run) => run.status === "running")).toEqual([]);
  });

  test("no gateway is there for most of the time to run: the next one takes over", async () => {
    const ref = await park();
    await engine.settle();
    await decide(ref);
    await engine.close();
    for (let passed = 0; passed < 50; passed++) {
      rig.clock.advance(MINUTE_MS);
      await server.fake.runDue();
    }
    expect(rig.upstreams.received).toHaveLength(0);
    rig = await rig.restart();
    await startGateway();
    await pass(9 * MINUTE_MS);
    expect(await outcome([ref])).toEqual(allOnce([ref]));
  });

  test("a step that fails for long: other runs follow, and the case ends right once it can", async () => {
    const ref = await park();
    await engine.settle();
    const getPayload = rig.deps.store.getPayload.bind(rig.deps.store);
    rig.deps.store.getPayload = () => Promise.reject(new Error("unreadable"));
    await decide(ref);
    await pass(40 * MINUTE_MS);
    expect(await stateOf(ref)).toBe("AUTHORIZED");
    expect(runsOf(ref).length).toBeGreaterThan(1);
    rig.deps.store.getPayload = getPayload;
    await pass(10 * MINUTE_MS);
    expect(await outcome([ref])).toEqual(allOnce([ref]));
  });

  test("a run that Inngest gave up is followed by another", async () => {
    const ref = await park();
    await engine.settle();
    const handle = server.handle.bind(server);
    server.handle = async (request) =>
      request.url.includes("failure")
        ? handle(request)
        : new Response("{}", { status: 400, headers: NO_RETRY });
    await decide(ref);
    await engine.settle();
    expect(runsOf(ref)[0]?.status).toBe("failed");
    server.handle = handle;
    await pass(2 * MINUTE_MS);
    expect(runsOf(ref).map((run) => run.event.id)).toEqual([`${ref}:run:1`, `${ref}:run:2`]);
    expect(await outcome([ref])).toEqual(allOnce([ref]));
  });
});

test("a storm of decisions reaches Inngest in few requests, one after another", async () => {
  const crowd = Number(process.env["ATLAS_STORM"] ?? 300);
  const refs: CaseRef[] = [];
  for (let i = 0; i < crowd; i++) refs.push(await park());
  await engine.settle();
  const asked = countRequests();
  await Promise.all(refs.map((ref) => decide(ref)));
  await engine.idle();
  expect(asked.events()).toBe(crowd);
  expect(asked.most()).toBe(1);
  await engine.settle();
  expect(await outcome(refs)).toEqual(allOnce(refs));
});

/** Counts events and the most requests at a time. */
function countRequests() {
  const receive = server.fake.fetch.bind(server.fake);
  const before = server.fake.events.length;
  let now = 0;
  let most = 0;
  server.fake.fetch = async (request) => {
    most = Math.max(most, ++now);
    try {
      return await receive(request);
    } finally {
      now--;
    }
  };
  return { events: () => server.fake.events.length - before, most: () => most };
}
