import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Case } from "../domain/case.ts";
import type { OutboxMessage } from "../governance/ports.ts";
import { createLog } from "../telemetry/log.ts";
import {
  createWebhookNotifier,
  FIRST_RETRY_MS,
  GIVE_UP_AFTER_MS,
  LONGEST_RETRY_MS,
  type WebhookNotifier,
  type WebhookNotifierDeps,
} from "./webhook.ts";
import { startWebhookReceiver, type WebhookReceiver } from "./webhook-receiver.testing.ts";

const SECRET = `whsec_${Buffer.from("a secret of twenty-four b").toString("base64")}`;

const CASE = {
  ref: "evt_abcdefghijklmnopqrstuvwxyz234567",
  state: "AWAITING_REVIEW",
  tool: "delete_record",
  upstream: "welfare",
  agentId: "billing-bot",
  riskScore: 85,
  classification: "HIGH_RISK",
  reasonId: "risk.above_threshold",
  reviewByMs: Date.parse("2026-11-22T12:00:00Z"),
  actionDigest: "d".repeat(64),
} as unknown as Case;

interface OutboxRow extends OutboxMessage {
  attempts: number;
  dueAtMs: number | null;
  error: string | null;
}

/** The rows of an outbox and a clock that moves when it is told to. */
function createOutbox() {
  const clock = { now: Date.now(), nowMs: () => clock.now, monotonicMs: () => clock.now };
  const rows = new Map<string, OutboxRow>();
  const store: WebhookNotifierDeps["store"] = {
    getCase: (ref) => Promise.resolve(ref === CASE.ref ? CASE : null),
    dueMessages: (limit) => {
      const due = [...rows.values()].filter((row) => row.dueAtMs !== null && row.dueAtMs <= clock.now);
      return Promise.resolve(due.slice(0, limit).map((row) => ({ ...row })));
    },
    markDelivered: (id) => Promise.resolve(void rows.delete(id)),
    markAttemptFailed: ({ id, retryAtMs, error }) => {
      const row = rows.get(id);
      if (row !== undefined) Object.assign(row, { attempts: row.attempts + 1, dueAtMs: retryAtMs, error });
      return Promise.resolve();
    },
  };
  const add = (id: string, topic: OutboxMessage["topic"] = "review.requested", ref = CASE.ref) =>
    void rows.set(id, {
      id,
      topic,
      ref,
      createdAtMs: clock.now,
      attempts: 0,
      dueAtMs: clock.now,
      error: null,
    });
  return { clock, rows, store, add };
}

let receiver: WebhookReceiver;
let outbox: ReturnType<typeof createOutbox>;
let lines: string[];
let notifier: WebhookNotifier;

beforeEach(async () => {
  receiver = await startWebhookReceiver();
  outbox = createOutbox();
  lines = [];
  notifier = start();
});
afterEach(async () => {
  await notifier.close();
  await receiver.close();
});

function start(overrides: Partial<WebhookNotifierDeps> = {}): WebhookNotifier {
  return createWebhookNotifier({
    store: outbox.store,
    clock: outbox.clock,
    config: { url: receiver.url, secret: SECRET, consoleUrl: "https://atlas.example/console/" },
    log: createLog({ level: "debug", destination: { write: (line: string) => void lines.push(line) } }),
    ...overrides,
  });
}

describe("delivery", () => {
  test("is signed, tells of the case, and is done once", async () => {
    outbox.add("msg_1");
    await notifier.tick();
    await notifier.tick();
    expect(receiver.received).toHaveLength(1);
    const [message] = receiver.received;
    expect(message?.headers["webhook-id"]).toBe("msg_1");
    const body = new Webhook(SECRET).verify(message?.body ?? "", message?.headers ?? {});
    expect(body).toEqual({
      type: "review.requested",
      timestamp: new Date(outbox.clock.now).toISOString(),
      data: {
        event_id: CASE.ref,
        state: "AWAITING_REVIEW",
        tool: "delete_record",
        upstream: "welfare",
        agent: "billing-bot",
        risk_score: 85,
        classification: "HIGH_RISK",
        reason_id: "risk.above_threshold",
        review_by: "2026-11-22T12:00:00.000Z",
        digest: "d".repeat(64),
        url: `https://atlas.example/console/#/cases/${CASE.ref}`,
      },
    });
    expect(outbox.rows.size).toBe(0);
  });

  test("works off more messages than one batch holds", async () => {
    for (let i = 0; i < 30; i++) outbox.add(`msg_${i}`, "case.ended");
    await notifier.tick();
    expect(receiver.received).toHaveLength(30);
    expect(outbox.rows.size).toBe(0);
  });

  test("without a configured webhook takes messages off the outbox and sends nothing", async () => {
    await notifier.close();
    notifier = start({ config: null });
    outbox.add("msg_1");
    await notifier.tick();
    expect(receiver.received).toEqual([]);
    expect(outbox.rows.size).toBe(0);
  });

  test("of a case that is gone is dropped", async () => {
    outbox.add("msg_1", "case.ended", "evt_gone" as Case["ref"]);
    await notifier.tick();
    expect(receiver.received).toEqual([]);
    expect(outbox.rows.size).toBe(0);
  });
});

describe("a receiver that misbehaves", () => {
  test.each([
    [500, "http 500"],
    [404, "http 404"],
    [429, "http 429"],
    ["redirect", "redirect"],
    ["drop", "UND_ERR_SOCKET"],
  ] as const)("(%s) gets the same message again later", async (behaviour, error) => {
    receiver.plan.push(behaviour);
    outbox.add("msg_1");
    await notifier.tick();
    expect(outbox.rows.get("msg_1")).toMatchObject({ attempts: 1, error });
    expect(outbox.rows.get("msg_1")?.dueAtMs).toBe(outbox.clock.now + FIRST_RETRY_MS);
    await notifier.tick();
    expect(receiver.received).toHaveLength(1);

    outbox.clock.now += FIRST_RETRY_MS;
    await notifier.tick();
    expect(receiver.received.map((m) => m.headers["webhook-id"])).toEqual(["msg_1", "msg_1"]);
    expect(receiver.redirected).toEqual([]);
    expect(outbox.rows.size).toBe(0);
  });

  test("by never answering is left after the deadline", async () => {
    await notifier.close();
    notifier = start({ attemptDeadlineMs: 30 });
    receiver.plan.push("hang");
    outbox.add("msg_1");
    await notifier.tick();
    expect(outbox.rows.get("msg_1")).toMatchObject({ attempts: 1, error: "timeout" });
  });

  test("by not being there is tried again", async () => {
    await receiver.close();
    outbox.add("msg_1");
    await notifier.tick();
    expect(outbox.rows.get("msg_1")).toMatchObject({ attempts: 1, error: "ECONNREFUSED" });
    receiver = await startWebhookReceiver();
  });

  test("by saying 410 is not asked again", async () => {
    receiver.plan.push(410);
    outbox.add("msg_1");
    await notifier.tick();
    expect(outbox.rows.get("msg_1")).toMatchObject({ dueAtMs: null, error: "http 410" });
    expect(lines.join("")).toContain("given up");
  });

  test("hears of it less and less often, and after a day no more", async () => {
    receiver.plan.push(...Array.from({ length: 100 }, () => 503));
    outbox.add("msg_1");
    const startedMs = outbox.clock.now;
    const waits: number[] = [];
    for (;;) {
      await notifier.tick();
      const dueAtMs = outbox.rows.get("msg_1")?.dueAtMs ?? null;
      if (dueAtMs === null) break;
      waits.push(dueAtMs - outbox.clock.now);
      outbox.clock.now = dueAtMs;
    }
    expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(Math.max(...waits)).toBe(LONGEST_RETRY_MS);
    expect(outbox.clock.now - startedMs).toBeGreaterThan(GIVE_UP_AFTER_MS - LONGEST_RETRY_MS - 1);
    expect(outbox.clock.now - startedMs).toBeLessThanOrEqual(GIVE_UP_AFTER_MS);
    expect(lines.at(-1)).toContain("given up");
  });

  test("does not hold up messages for itself alone: a batch goes out at once", async () => {
    receiver.plan.push("hang", "hang");
    for (let i = 0; i < 8; i++) outbox.add(`msg_${i}`);
    const ticking = notifier.tick();
    await expect.poll(() => outbox.rows.size).toBe(2);
    await notifier.close();
    await ticking;
  });
});

describe("the notifier", () => {
  test("delivers when woken, and a message that comes while it works, too", async () => {
    outbox.add("msg_1");
    notifier.wake();
    await expect.poll(() => receiver.received.length).toBe(1);
    outbox.add("msg_2");
    notifier.wake();
    await expect.poll(() => receiver.received.length).toBe(2);
  });

  test("never works twice at a time", async () => {
    outbox.add("msg_1");
    await Promise.all([notifier.tick(), notifier.tick(), notifier.tick()]);
    expect(receiver.received).toHaveLength(1);
  });

  test("stops at once and leaves an attempt that was cut short for the next start", async () => {
    receiver.plan.push("hang");
    outbox.add("msg_1");
    const ticking = notifier.tick();
    await expect.poll(() => receiver.received.length).toBe(1);
    await notifier.close();
    await ticking;
    expect(outbox.rows.get("msg_1")).toMatchObject({ attempts: 0, error: null });
    expect(outbox.rows.get("msg_1")?.dueAtMs).not.toBeNull();
  });

  test("goes on after the store failed", async () => {
    let broken = true;
    await notifier.close();
    const { dueMessages } = outbox.store;
    notifier = start({
      store: {
        ...outbox.store,
        dueMessages: (limit) => (broken ? Promise.reject(new Error("disk")) : dueMessages(limit)),
      },
    });
    outbox.add("msg_1");
    notifier.wake();
    await expect.poll(() => lines.length).toBe(1);
    broken = false;
    notifier.wake();
    await expect.poll(() => receiver.received.length).toBe(1);
  });

  test("refuses a secret that is none", () => {
    const config = { url: receiver.url, secret: "whsec_%%%", consoleUrl: "http://localhost" };
    expect(() => start({ config })).toThrow(/not a Standard Webhooks secret/);
  });

  test("logs neither the address, which may be secret, nor the secret", async () => {
    receiver.plan.push("drop");
    outbox.add("msg_1");
    await notifier.tick();
    expect(lines.join("")).toContain(CASE.ref);
    expect(lines.join("")).not.toMatch(/s3cret|whsec_|127\.0\.0\.1/);
  });
});
