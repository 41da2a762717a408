import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Case } from "../../domain/case.ts";
import { caseDetailSchema, caseListSchema, ruleSuggestionListSchema } from "../contract.ts";
import { type Caller, openTestGateway, type TestGateway } from "../gateway.testing.ts";
import { timelineSchema } from "../list-contract.ts";

let gateway: TestGateway;
const cases: Case[] = [];
beforeAll(async () => {
  gateway = await openTestGateway();
  for (let i = 0; i < 5; i++) {
    cases.push(await gateway.openCase({ riskScore: 70 + i }));
    gateway.clock.advance(1000);
  }
});
afterAll(() => gateway.close());

async function get(path: string, caller: Caller = "anna") {
  const headers = { authorization: `Bearer ${gateway.token(caller)}` };
  return gateway.app.request(`/api/v1/${path}`, { headers });
}

async function list(query: string) {
  return caseListSchema.parse(await (await get(`cases?${query}`)).json());
}

describe("pages of cases", () => {
  test.each(["newest", "deadline", "risk"])("by %s lead through all of them once, and end", async (order) => {
    const refs: string[] = [];
    let query = `order=${order}&state=AWAITING_REVIEW&limit=2`;
    for (;;) {
      const page = await list(query);
      refs.push(...page.cases.map((one) => one.ref));
      expect(page.counts).toEqual({
        ASSESSING: 0,
        AWAITING_REVIEW: 5,
        AUTHORIZED: 0,
        EXECUTING: 0,
        UNKNOWN: 0,
      });
      if (page.next === null) break;
      query = `order=${order}&state=AWAITING_REVIEW&limit=2&after=${page.next}`;
    }
    const expected = order === "deadline" ? cases : cases.toReversed();
    expect(refs).toEqual(expected.map((one) => one.ref));
  });

  test("a full last page has no next one", async () => {
    expect((await list("limit=5")).next).toBeNull();
  });

  test.each([
    "agent=billing-bot&upstream=welfare&tool=delete_record&limit=500",
    "rule=rule-3",
    "reason_id=risk.above_threshold",
    "min_score=70",
    "opened_after=2026-11-21T11:00:00Z&opened_before=2026-11-21T13:00:00Z",
    "ref=evt_",
  ])("?%s finds them all", async (query) => {
    expect((await list(query)).cases).toHaveLength(5);
  });

  test.each([
    ["agent=other", 0],
    ["tool=other", 0],
    ["min_score=74", 1],
    ["opened_after=2026-11-21T12:00:03Z", 1],
    ["opened_before=2026-11-21T12:00:00Z", 0],
    ["taken_by=sarah", 0],
  ])("?%s finds %i", async (query, count) => {
    expect((await list(query)).cases).toHaveLength(count);
  });

  test.each([
    ["agent=a b", "agent"],
    ["reason_id=none", "reason_id"],
    ["min_score=101", "min_score"],
    ["opened_after=yesterday", "opened_after"],
    ["ref=%25", "ref"],
    ["order=oldest", "order"],
    ["after=nonsense", "after"],
    ["after=WyJuZXdlc3QiLDEsIngiXQ", "after"],
    ["order=risk&after=WyJpZCIsMV0", "after"],
    ["tool=", "tool"],
    ["sort=x", "sort"],
  ])("?%s is refused, naming %s", async (query, name) => {
    const response = await get(`cases?${query}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(`\\"${name}\\"`);
  });

  test("a cursor of one order does not lead on in another", async () => {
    const { next } = await list("order=risk&limit=1");
    expect((await get(`cases?order=newest&after=${next}`)).status).toBe(400);
  });
});

describe("suggestions of rules", () => {
  test("come with the tenth approval, to everybody with a role, and with the case", async () => {
    expect(await (await get("rule-suggestions")).json()).toEqual({ suggestions: [] });
    for (let i = 0; i < 10; i++) {
      const { ref, actionDigest } = await gateway.openCase();
      await gateway.app.request(`/api/v1/cases/${ref}/decision`, {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.token("sarah")}`, "content-type": "application/json" },
        body: JSON.stringify({ decision: "APPROVED", digest: actionDigest }),
      });
    }
    const { suggestions } = ruleSuggestionListSchema.parse(await (await get("rule-suggestions")).json());
    expect(suggestions).toMatchObject([{ agent: "billing-bot", tool: "delete_record", approvals: 10 }]);
    const detail = caseDetailSchema.parse(await (await get(`cases/${cases[0]?.ref}`)).json());
    expect(detail.suggestion).toEqual(suggestions[0]);
    expect((await get("rule-suggestions", "agent")).status).toBe(403);
    expect((await get("rule-suggestions", "nick")).status).toBe(403);
  });
});

describe("the timeline of a case", () => {
  const ref = () => cases[0]?.ref ?? "";

  test("has its events in order, page by page, with ids and no texts", async () => {
    const first = timelineSchema.parse(await (await get(`cases/${ref()}/events?limit=1`)).json());
    const rest = timelineSchema.parse(await (await get(`cases/${ref()}/events?after=${first.next}`)).json());
    expect([...first.events, ...rest.events]).toMatchObject([
      { type: "case.opened", actor: { kind: "agent", id: "billing-bot" }, from: null, to: "ASSESSING" },
      { type: "case.review_requested", to: "AWAITING_REVIEW", reason_id: "risk.above_threshold" },
    ]);
    expect(rest.next).toBeNull();
    expect(JSON.stringify([first, rest])).not.toContain("s3cret");
  });

  test.each<[Caller, number]>([
    ["agent", 403],
    ["nick", 403],
    ["anna", 200],
  ])("is answered to %s with %i", async (caller, status) => {
    expect((await get(`cases/${ref()}/events`, caller)).status).toBe(status);
  });

  test("of a case that does not exist is 404", async () => {
    expect((await get(`cases/evt_${"a".repeat(32)}/events`)).status).toBe(404);
    expect((await get("cases/evt_x/events")).status).toBe(404);
    expect((await get(`cases/${ref()}/events?after=WyJuZXdlc3QiLDEsIngiXQ`)).status).toBe(400);
  });
});
