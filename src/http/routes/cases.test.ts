import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Case } from "../../domain/case.ts";
import { caseDetailSchema, caseListSchema } from "../contract.ts";
import { type Caller, openTestGateway, personId, type TestGateway } from "../gateway.testing.ts";

let gateway: TestGateway;
let waiting: Case;

beforeAll(async () => {
  gateway = await openTestGateway();
  waiting = await gateway.openCase({ argumentsText: '{"record":"A-17","rate":1e2,"note":"\u202ehidden"}' });
});
afterAll(() => gateway.close());

function send(caller: Caller, path: string, body?: unknown) {
  const token = gateway.token(caller);
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  const get = path.startsWith("GET ");
  return gateway.app.request(path.replace(/^(GET|POST) /, ""), {
    method: get ? "GET" : "POST",
    headers,
    ...(get || body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const READERS: readonly (readonly [Caller, number])[] = [
  ["nobody", 401],
  ["stranger", 401],
  ["agent", 403],
  ["nick", 403],
  ["sarah", 200],
  ["owen", 200],
  ["adam", 200],
  ["anna", 200],
];

describe("reading", () => {
  const paths = () => ["/api/v1/cases", `/api/v1/cases/${waiting.ref}`, "/api/v1/events"];

  test.each(READERS)("%s gets %i from every route", async (caller, status) => {
    for (const path of paths()) {
      const response = await send(caller, `GET ${path}`);
      expect([path, response.status]).toEqual([path, status]);
      await response.body?.cancel();
    }
  });

  test.each(READERS.filter(([, status]) => status !== 200))(
    "%s learns nothing from the refusal",
    async (caller) => {
      for (const path of paths()) {
        const text = await (await send(caller, `GET ${path}`)).text();
        expect(text).not.toMatch(/A-17|delete_record|welfare/);
      }
    },
  );

  test("the list has no arguments, and keeps to its contract", async () => {
    const text = await (await send("sarah", "GET /api/v1/cases")).text();
    expect(text).not.toContain("A-17");
    const list = caseListSchema.parse(JSON.parse(text));
    expect(list.counts.AWAITING_REVIEW).toBe(1);
    expect(list.cases[0]).toMatchObject({
      ref: waiting.ref,
      review_by: "2026-11-22T12:00:00.000Z",
      risk_score: 85,
    });
  });

  test.each([
    ["state=REJECTED", 200, '"cases":[]'],
    ["state=AWAITING_REVIEW,UNKNOWN&limit=1", 200, "evt_"],
    ["state=waiting", 400, '\\"state\\" must be one or more of'],
    ["limit=0", 400, '\\"limit\\" must be at least 1'],
    ["limit=501", 400, '\\"limit\\" must be at most 500'],
    ["limit=many", 400, '\\"limit\\" must be a whole number'],
    ["person=x", 400, 'no parameter \\"person\\"'],
  ])("?%s answers %i", async (query, status, expected) => {
    const response = await send("anna", `GET /api/v1/cases?${query}`);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(expected);
  });

  test("one case shows the exact arguments, the definition and the assessment", async () => {
    const response = await send("sarah", `GET /api/v1/cases/${waiting.ref}`);
    const detail = caseDetailSchema.parse(await response.json());
    expect(detail.arguments).toBe('{"record":"A-17","rate":1e2,"note":"\u202ehidden"}');
    expect(detail.definition).toMatchObject({ state: "accepted", pin: waiting.toolPin });
    expect(detail.assessment).toMatchObject({ risk_score: 85, factors: [{ id: "verb.destroy" }] });
    expect(detail).toMatchObject({ result: null, decision_reason: null, meta: null });
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  test.each<[Caller, object]>([
    ["sarah", { decide: true, resolve: false, because: null, withdraw: false, take: true }],
    ["owen", { decide: false, resolve: false, because: "owns_the_agent", withdraw: false, take: false }],
    ["anna", { decide: false, resolve: false, because: "not_a_reviewer", withdraw: false, take: false }],
    ["adam", { decide: false, resolve: false, because: "not_a_reviewer", withdraw: true, take: false }],
  ])("one case tells %s what they may do", async (caller, permissions) => {
    const detail = caseDetailSchema.parse(
      await (await send(caller, `GET /api/v1/cases/${waiting.ref}`)).json(),
    );
    expect(detail.permissions).toEqual({ release: false, undo: false, ...permissions });
  });

  test.each([`evt_${"a".repeat(32)}`, "evt_x", "..%2f..%2fetc", "1"])(
    "an unknown reference %s is 404",
    async (ref) => {
      const response = await send("sarah", `GET /api/v1/cases/${ref}`);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: "case.unknown" } });
    },
  );
});

describe("deciding", () => {
  test.each<[Caller, number, string]>([
    ["nobody", 401, "auth.missing"],
    ["agent", 403, "auth.wrong_principal"],
    ["nick", 403, "auth.wrong_principal"],
    ["anna", 403, "review.not_entitled"],
    ["adam", 403, "review.not_entitled"],
    ["owen", 403, "review.not_entitled"],
  ])("is refused to %s with %i %s", async (caller, status, code) => {
    const body = { decision: "APPROVED", digest: waiting.actionDigest };
    const response = await send(caller, `/api/v1/cases/${waiting.ref}/decision`, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect((await gateway.store.getCase(waiting.ref))?.state).toBe("AWAITING_REVIEW");
  });

  test("needs the digest that was shown", async () => {
    const path = `/api/v1/cases/${waiting.ref}/decision`;
    const without = await send("sarah", path, { decision: "APPROVED" });
    expect(without.status).toBe(400);
    expect(await without.text()).toContain('\\"digest\\" is missing');
    const stale = await send("sarah", path, { decision: "APPROVED", digest: "0".repeat(64) });
    expect(stale.status).toBe(409);
    expect(await stale.json()).toMatchObject({ error: { code: "review.stale_digest" } });
  });

  test("is recorded once, answered again the same, and then stands", async () => {
    const open = await gateway.openCase();
    const path = `/api/v1/cases/${open.ref}/decision`;
    const body = { decision: "REJECTED", digest: open.actionDigest, reason: "No." };
    expect(await (await send("sarah", path, body)).json()).toMatchObject({
      repeated: false,
      case: { state: "REJECTED" },
    });
    expect(await (await send("sarah", path, body)).json()).toMatchObject({ repeated: true });
    const other = await send("sarah", path, { ...body, decision: "APPROVED" });
    expect(other.status).toBe(409);
    expect(await other.json()).toMatchObject({ error: { code: "review.not_open", state: "REJECTED" } });
    const detail = await (await send("anna", `GET /api/v1/cases/${open.ref}`)).json();
    expect(detail).toMatchObject({ decision_reason: "No.", case: { decided_by: "sarah" } });
  });
});

describe("withdrawing", () => {
  const approve = (open: Case) =>
    send("sarah", `/api/v1/cases/${open.ref}/decision`, { decision: "APPROVED", digest: open.actionDigest });

  test.each<[Caller, "waiting" | "approved", number, string]>([
    ["nobody", "waiting", 401, "auth.missing"],
    ["agent", "waiting", 403, "auth.wrong_principal"],
    ["anna", "waiting", 403, "review.not_entitled"],
    ["sarah", "waiting", 409, "review.not_open"],
    ["adam", "waiting", 200, "CANCELLED"],
    ["sarah", "approved", 200, "CANCELLED"],
    ["adam", "approved", 200, "CANCELLED"],
  ])("by %s while %s answers %i", async (caller, state, status, expected) => {
    const open = await gateway.openCase();
    if (state === "approved") await approve(open);
    const response = await send(caller, `/api/v1/cases/${open.ref}/withdraw`);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(expected);
    const now = await gateway.store.getCase(open.ref);
    expect(now?.state === "CANCELLED").toBe(status === 200);
  });

  test("of what has ended is refused with the state that stands", async () => {
    const open = await gateway.openCase();
    await gateway.store.withdraw({ ref: open.ref, actor: { kind: "admin", id: personId("adam") } });
    const response = await send("adam", `/api/v1/cases/${open.ref}/withdraw`);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ error: { state: "CANCELLED" } });
  });
});
