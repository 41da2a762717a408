import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Case } from "../../domain/case.ts";
import { caseDetailSchema, caseResponseSchema, errorSchema } from "../contract.ts";
import { type Caller, openTestGateway, personId, type TestGateway } from "../gateway.testing.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await openTestGateway({ undoWithinMs: 60_000 });
});
afterAll(() => gateway.close());

function post(caller: Caller, path: string, body?: object) {
  const token = gateway.token(caller);
  return gateway.app.request(`/api/v1/cases/${path}`, {
    method: "POST",
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function permissions(caller: Caller, { ref }: Case) {
  const headers = { authorization: `Bearer ${gateway.token(caller)}` };
  const response = await gateway.app.request(`/api/v1/cases/${ref}`, { headers });
  return caseDetailSchema.parse(await response.json());
}

describe("taking a case", () => {
  test.each<[Caller, number, string]>([
    ["nobody", 401, "auth.missing"],
    ["stranger", 401, "auth.missing"],
    ["agent", 403, "auth.wrong_principal"],
    ["nick", 403, "auth.wrong_principal"],
    ["anna", 403, "review.not_entitled"],
    ["adam", 403, "review.not_entitled"],
    ["owen", 403, "review.not_entitled"],
  ])("is refused to %s with %i %s", async (caller, status, code) => {
    const open = await gateway.openCase();
    const response = await post(caller, `${open.ref}/take`);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect((await gateway.store.getCase(open.ref))?.takenBy).toBeNull();
  });

  test("shows everybody who has it; another's decision is 409 with who and until when, until they take over", async () => {
    const open = await gateway.openCase();
    const taken = caseResponseSchema.parse(await (await post("sarah", `${open.ref}/take`)).json());
    expect(taken.case).toMatchObject({ taken_by: "sarah", taken_until: "2026-11-21T12:30:00.000Z" });
    expect(await permissions("rita", open)).toMatchObject({
      case: { taken_by: "sarah" },
      permissions: { decide: false, because: "taken", take: true, release: false },
    });
    expect((await permissions("sarah", open)).permissions).toMatchObject({
      decide: true,
      because: null,
      take: false,
      release: true,
    });
    const decision = { decision: "REJECTED", digest: open.actionDigest };
    for (const path of [`${open.ref}/decision`, `${open.ref}/take`]) {
      const refused = await post("rita", path, path.endsWith("take") ? {} : decision);
      expect(refused.status).toBe(409);
      expect(errorSchema.parse(await refused.json()).error).toMatchObject({
        code: "review.taken",
        state: "AWAITING_REVIEW",
        taken_by: "sarah",
        taken_until: "2026-11-21T12:30:00.000Z",
        message: expect.stringContaining("sarah"),
      });
    }
    expect((await post("rita", `${open.ref}/take`, { take_over: true })).status).toBe(200);
    const decided = await post("rita", `${open.ref}/decision`, decision);
    expect(await decided.json()).toMatchObject({ case: { state: "REJECTED", taken_by: null } });
  });

  test("holds the webhook back as well", async () => {
    const open = await gateway.openCase();
    await post("sarah", `${open.ref}/take`);
    const response = await gateway.app.request("/webhook/approval", {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.token("rita")}`, "content-type": "application/json" },
      body: JSON.stringify({ decision: "APPROVED", event_id: open.ref }),
    });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ error: { code: "review.taken" } });
  });

  test("ends when it is given back, by an admin too, and not by another reviewer", async () => {
    const open = await gateway.openCase();
    await post("sarah", `${open.ref}/take`);
    expect((await post("rita", `${open.ref}/release`)).status).toBe(409);
    expect((await post("anna", `${open.ref}/release`)).status).toBe(403);
    const given = await post("adam", `${open.ref}/release`);
    expect(await given.json()).toMatchObject({ case: { taken_by: null, taken_until: null } });
  });

  test("takes nothing but a reference and one switch", async () => {
    const open = await gateway.openCase();
    expect((await post("sarah", `${open.ref}/take`, { force: true })).status).toBe(400);
    expect((await post("sarah", `evt_${"a".repeat(32)}/take`)).status).toBe(404);
    expect((await post("sarah", "evt_x/release")).status).toBe(404);
  });
});

describe("undoing an approval", () => {
  async function approved(): Promise<Case> {
    const open = await gateway.openCase();
    await post("sarah", `${open.ref}/decision`, { decision: "APPROVED", digest: open.actionDigest });
    return open;
  }

  test("is shown to be possible, until when, and for whom", async () => {
    const open = await approved();
    expect(await permissions("sarah", open)).toMatchObject({
      case: { state: "AUTHORIZED", run_from: "2026-11-21T12:01:00.000Z" },
      permissions: { undo: true },
    });
    expect((await permissions("rita", open)).permissions.undo).toBe(false);
    expect((await permissions("adam", open)).permissions.undo).toBe(true);
  });

  test.each<[Caller, number, string]>([
    ["nobody", 401, "auth.missing"],
    ["agent", 403, "auth.wrong_principal"],
    ["anna", 403, "review.not_entitled"],
    ["rita", 403, "review.not_entitled"],
    ["sarah", 200, "review.undone"],
    ["adam", 200, "review.undone"],
  ])("by %s answers %i %s", async (caller, status, expected) => {
    const open = await approved();
    const response = await post(caller, `${open.ref}/undo`);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(expected);
    expect((await gateway.store.getCase(open.ref))?.state).toBe(status === 200 ? "CANCELLED" : "AUTHORIZED");
  });

  test("of what nobody approved, or what has ended, is 409 with the state that stands", async () => {
    const open = await gateway.openCase();
    const early = await post("adam", `${open.ref}/undo`);
    expect(await early.json()).toMatchObject({
      error: { code: "review.not_open", state: "AWAITING_REVIEW" },
    });
    await gateway.store.withdraw({ ref: open.ref, actor: { kind: "admin", id: personId("adam") } });
    expect((await post("adam", `${open.ref}/undo`)).status).toBe(409);
  });
});
