import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Case } from "../../domain/case.ts";
import { type Caller, openTestGateway, type TestGateway } from "../gateway.testing.ts";

let gateway: TestGateway;
let waiting: Case;

beforeAll(async () => {
  gateway = await openTestGateway();
  waiting = await gateway.openCase();
});
afterAll(() => gateway.close());

function post(body: unknown, caller: Caller, headers: Record<string, string> = {}) {
  const token = gateway.token(caller);
  return gateway.app.request("/webhook/approval", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

interface Scenario {
  readonly name: string;
  readonly caller: Caller;
  readonly body: (waiting: Case) => unknown;
  readonly status: number;
  readonly expected: readonly string[];
}

const approve = (c: Case) => ({ decision: "APPROVED", event_id: c.ref });
const UNKNOWN_REF = `evt_${"a".repeat(32)}`;

const REFUSED: readonly Scenario[] = [
  { name: "nobody", caller: "nobody", body: approve, status: 401, expected: ["auth.missing", "Bearer"] },
  { name: "a stranger", caller: "stranger", body: approve, status: 401, expected: ["auth.missing"] },
  { name: "nobody, malformed", caller: "nobody", body: () => "{", status: 401, expected: ["auth.missing"] },
  {
    name: "an agent",
    caller: "agent",
    body: approve,
    status: 403,
    expected: ["auth.wrong_principal", "agent"],
  },
  {
    name: "an auditor",
    caller: "anna",
    body: approve,
    status: 403,
    expected: ["review.not_entitled", "not a reviewer"],
  },
  { name: "an admin", caller: "adam", body: approve, status: 403, expected: ["review.not_entitled"] },
  {
    name: "a person without a role",
    caller: "nick",
    body: approve,
    status: 403,
    expected: ["review.not_entitled"],
  },
  {
    name: "the agent's owner",
    caller: "owen",
    body: approve,
    status: 403,
    expected: ["review.not_entitled", "owns the agent"],
  },
  {
    name: "an unknown case",
    caller: "sarah",
    body: () => ({ decision: "APPROVED", event_id: UNKNOWN_REF }),
    status: 404,
    expected: ["case.unknown"],
  },
  {
    name: "a reference that cannot be one",
    caller: "sarah",
    body: () => ({ decision: "APPROVED", event_id: "evt_nope" }),
    status: 404,
    expected: ["case.unknown"],
  },
  {
    name: "another digest",
    caller: "sarah",
    body: (c) => ({ ...approve(c), digest: "0".repeat(64) }),
    status: 409,
    expected: ["review.stale_digest", '"state":"AWAITING_REVIEW"'],
  },
];

const MALFORMED: readonly (readonly [string, (c: Case) => unknown, string])[] = [
  ["not JSON", () => "{decision", "not valid JSON"],
  ["an array", () => [], "must be a JSON object"],
  ["no decision", (c) => ({ event_id: c.ref }), '"decision\\" is missing'],
  ["no reference", () => ({ decision: "APPROVED" }), '"event_id\\" is missing'],
  ["another decision", (c) => ({ ...approve(c), decision: "s3cret" }), '"decision\\" must be'],
  ["a decision in lower case", (c) => ({ ...approve(c), decision: "approved" }), '"decision\\" must be'],
  ["a decision that is no text", (c) => ({ ...approve(c), decision: true }), '"decision\\" must be'],
  [
    "a reference of another kind",
    () => ({ decision: "APPROVED", event_id: "s3cret" }),
    '"event_id\\" must be',
  ],
  [
    "a reference that is no text",
    () => ({ decision: "APPROVED", event_id: 7 }),
    '"event_id\\" must be a string',
  ],
  ["a reason that is no text", (c) => ({ ...approve(c), reason: null }), '"reason\\" must be a string'],
  [
    "a reason that is too long",
    (c) => ({ ...approve(c), reason: "s3cret".repeat(400) }),
    '"reason\\" must have at most 2000',
  ],
  ["a digest that is none", (c) => ({ ...approve(c), digest: "s3cret" }), '"digest\\" must be a SHA-256'],
  [
    "edited arguments that are no object",
    (c) => ({ ...approve(c), arguments: ["s3cret"] }),
    '"arguments\\" must be an object',
  ],
  ["an unknown member", (c) => ({ ...approve(c), force: "s3cret" }), 'no field \\"force\\"'],
  [
    "a member twice",
    (c) => `{"decision":"REJECTED","decision":"APPROVED","event_id":"${c.ref}"}`,
    "decision",
  ],
  [
    "half a surrogate pair",
    (c) => `{"decision":"REJECTED","event_id":"${c.ref}","reason":"\\ud800"}`,
    "reason",
  ],
];

describe("POST /webhook/approval", () => {
  test.each(REFUSED)("refuses $name with $status", async (scenario) => {
    const response = await post(scenario.body(waiting), scenario.caller);
    const text = await response.text();
    expect(response.status).toBe(scenario.status);
    for (const part of scenario.expected) expect(text).toContain(part);
    expect(text).not.toMatch(/s3cret|delete_record|welfare/);
    expect(response.headers.get("www-authenticate")).toBe(
      scenario.status === 401 ? 'Bearer realm="atlas"' : null,
    );
    expect((await gateway.store.getCase(waiting.ref))?.state).toBe("AWAITING_REVIEW");
    expect(gateway.woken).toEqual([]);
  });

  test.each(MALFORMED)(
    "refuses %s with 400 and names the field, not its value",
    async (_, body, expected) => {
      const response = await post(body(waiting), "sarah");
      const text = await response.text();
      expect(response.status).toBe(400);
      expect(text).toContain(expected);
      expect(text).toContain("request.invalid");
      expect(text).not.toContain("s3cret");
      expect((await gateway.store.getCase(waiting.ref))?.state).toBe("AWAITING_REVIEW");
    },
  );

  test("does not take a cookie for a credential", async () => {
    const signIn = await gateway.app.request("/api/v1/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: gateway.token("sarah") }),
    });
    const cookie = (signIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const response = await post(approve(waiting), "nobody", {
      cookie,
      "x-atlas-csrf": "1",
      origin: "http://localhost",
    });
    expect(cookie).toContain("atlas_session=");
    expect(response.status).toBe(401);
  });

  test("does not take Basic or an empty bearer for a credential", async () => {
    for (const authorization of ["Basic c2FyYWg6eA==", "Bearer", "Bearer ", `Bearer ${"x".repeat(5_000)}`]) {
      expect((await post(approve(waiting), "nobody", { authorization })).status).toBe(401);
    }
  });

  test("records an approval, wakes the engine, and answers its repetition as the first time", async () => {
    const open = await gateway.openCase();
    for (const attempt of [1, 2]) {
      const response = await post({ ...approve(open), digest: open.actionDigest }, "sarah");
      expect([`attempt ${attempt}`, response.status]).toEqual([`attempt ${attempt}`, 200]);
      expect(await response.text()).toBe('{"status":"Signal Sent","decision":"APPROVED"}');
    }
    expect(await gateway.store.getCase(open.ref)).toMatchObject({ state: "AUTHORIZED", decidedBy: "sarah" });
    expect(gateway.woken).toContain(open.ref);
  });

  test("records a rejection with its reason, and refuses another decision with the state that stands", async () => {
    const open = await gateway.openCase();
    const rejected = await post({ decision: "REJECTED", event_id: open.ref, reason: "Not today." }, "sarah");
    expect(await rejected.json()).toEqual({ status: "Signal Sent", decision: "REJECTED" });
    expect(await gateway.store.getPayload(open.ref, "reason")).toBe("Not today.");

    const late = await post(approve(open), "sarah");
    expect(late.status).toBe(409);
    expect(await late.json()).toEqual({
      error: {
        code: "review.not_open",
        message: `Case ${open.ref} is REJECTED. It was rejected before; nothing was changed.`,
        state: "REJECTED",
      },
    });
  });

  test("rejects without a reason", async () => {
    const open = await gateway.openCase();
    expect((await post({ decision: "REJECTED", event_id: open.ref }, "sarah")).status).toBe(200);
  });

  test("refuses a decision after the deadline, and the case has expired", async () => {
    const late = await openTestGateway();
    const open = await late.openCase();
    late.clock.advance(86_400_000);
    const response = await late.app.request("/webhook/approval", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${late.token("sarah")}` },
      body: JSON.stringify(approve(open)),
    });
    expect(response.status).toBe(409);
    expect(await response.text()).toContain('"state":"EXPIRED"');
    await late.close();
  });

  test("lets the owner decide in single-operator mode", async () => {
    const alone = await openTestGateway({ singleOperator: true });
    const open = await alone.openCase();
    const response = await alone.app.request("/webhook/approval", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${alone.token("owen")}` },
      body: JSON.stringify(approve(open)),
    });
    expect(response.status).toBe(200);
    await alone.close();
  });

  test("takes edited arguments byte for byte as they stand in the body", async () => {
    const edited = await gateway.openCase();
    const response = await post(
      `{"decision":"APPROVED", "arguments": { "b" : 1.50, "1": "x" }, "event_id":"${edited.ref}"}`,
      "sarah",
    );
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: "Signal Sent", decision: "APPROVED" },
    ]);
    expect(await gateway.store.getPayload(edited.ref, "arguments")).toBe('{"b":1.50,"1":"x"}');
  });
});
