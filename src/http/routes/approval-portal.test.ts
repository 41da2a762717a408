import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestGateway, type TestGateway } from "../gateway.testing.ts";

const SECRET = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 4).toString("base64")}`;

let gateway: TestGateway;
beforeAll(async () => {
  const reviewers = { "s.miller": "sarah", "o.wner": "owen", ghost: "nobody-here" };
  gateway = await openTestGateway({ portals: [{ name: "desk", secret: SECRET, reviewers }] });
});
afterAll(() => gateway.close());

interface Sent {
  readonly body: object;
  readonly secret?: string;
  readonly signedAt?: Date;
  /** What is sent instead of what was signed. */
  readonly swapped?: object;
}

function send({ body, secret = SECRET, signedAt = new Date(), swapped }: Sent) {
  const text = JSON.stringify(body);
  return gateway.app.request("/webhook/approval", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": "msg_1",
      "webhook-timestamp": String(Math.floor(signedAt.getTime() / 1000)),
      "webhook-signature": new Webhook(secret).sign("msg_1", signedAt, text),
    },
    body: swapped === undefined ? text : JSON.stringify(swapped),
  });
}

describe("a portal at POST /webhook/approval", () => {
  test("passes on the decision of a person it may speak for, and the record says through whom", async () => {
    const waiting = await gateway.openCase();
    const response = await send({
      body: { decision: "APPROVED", event_id: waiting.ref, reviewer: "s.miller" },
    });
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: "Signal Sent", decision: "APPROVED" },
    ]);
    expect(await gateway.store.getCase(waiting.ref)).toMatchObject({
      state: "AUTHORIZED",
      decidedBy: "sarah",
    });
  });

  test.each([
    ["an unknown secret", { secret: OTHER_SECRET }, 401, "auth.missing"],
    ["an old signature", { signedAt: new Date(Date.now() - 6 * 60_000) }, 401, "auth.missing"],
    ["no reviewer", { reviewer: undefined }, 400, "reviewer"],
    ["a person it may not speak for", { reviewer: "sarah" }, 403, "review.not_entitled"],
    ["a name that no object has by itself", { reviewer: "constructor" }, 403, "review.not_entitled"],
    ["a person who has no account", { reviewer: "ghost" }, 403, "review.not_entitled"],
    ["the agent's owner", { reviewer: "o.wner" }, 403, "owns the agent"],
  ])("is refused with %s", async (_name, change, status, expected) => {
    const waiting = await gateway.openCase();
    const {
      reviewer = "s.miller",
      ...rest
    }: { reviewer?: string | undefined; secret?: string; signedAt?: Date } = change;
    const named = "reviewer" in change && change.reviewer === undefined ? {} : { reviewer };
    const response = await send({ body: { decision: "APPROVED", event_id: waiting.ref, ...named }, ...rest });
    expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(expected)]);
    expect((await gateway.store.getCase(waiting.ref))?.state).toBe("AWAITING_REVIEW");
  });

  test("is refused when the body is not the one that was signed", async () => {
    const waiting = await gateway.openCase();
    const body = { decision: "REJECTED", event_id: waiting.ref, reviewer: "s.miller" };
    const response = await send({ body, swapped: { ...body, decision: "APPROVED" } });
    expect(response.status).toBe(401);
    expect((await gateway.store.getCase(waiting.ref))?.state).toBe("AWAITING_REVIEW");
  });

  test("a person with a token of their own decides as nobody else", async () => {
    const waiting = await gateway.openCase();
    const response = await gateway.app.request("/webhook/approval", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${gateway.token("sarah")}` },
      body: JSON.stringify({ decision: "APPROVED", event_id: waiting.ref, reviewer: "s.miller" }),
    });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("reviewer")]);
  });
});
