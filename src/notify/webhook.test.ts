import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OutboxMessage } from "../governance/ports.ts";
import { openTestGateway, type TestGateway } from "../http/gateway.testing.ts";
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

let receiver: WebhookReceiver;
let gateway: TestGateway;
let lines: string[];
/** What the notifier wrote down of attempts that failed. */
let failures: { readonly retryAtMs: number | null; readonly error: string }[];
let notifier: WebhookNotifier;

beforeEach(async () => {
  receiver = await startWebhookReceiver();
  gateway = await openTestGateway();
  lines = [];
  failures = [];
  notifier = start();
});
afterEach(async () => {
  await notifier.close();
  await receiver.close();
  await gateway.close();
});

function recordedStore(): WebhookNotifierDeps["store"] {
  const { store } = gateway;
  return {
    getCase: (ref) => store.getCase(ref),
    nextMessageAtMs: () => store.nextMessageAtMs(),
    dueMessages: (limit) => store.dueMessages(limit),
    markDelivered: (id) => store.markDelivered(id),
    markAttemptFailed: (params) => {
      failures.push({ retryAtMs: params.retryAtMs, error: params.error });
      return store.markAttemptFailed(params);
    },
  };
}

function start(overrides: Partial<WebhookNotifierDeps> = {}): WebhookNotifier {
  return createWebhookNotifier({
    store: recordedStore(),
    // Signatures are checked against the wall clock, so the test's clock stands near it.
    clock: gateway.clock,
    config: { url: receiver.url, secret: SECRET, consoleUrl: "https://atlas.example/console/" },
    log: createLog({ level: "debug", destination: { write: (line: string) => void lines.push(line) } }),
    ...overrides,
  });
}

function due(): Promise<readonly OutboxMessage[]> {
  return gateway.store.dueMessages(1_000);
}

/** Messages that are still to be delivered, now or ever. */
async function waiting(): Promise<number> {
  gateway.clock.advance(10 * GIVE_UP_AFTER_MS);
  return (await due()).length;
}

const sentIds = () => receiver.received.map((message) => message.headers["webhook-id"]);

describe("delivery", () => {
  test("is signed, tells of the case without its arguments, and is done once", async () => {
    gateway.clock.advance(Date.now() - gateway.clock.nowMs());
    const open = await gateway.openCase();
    const [queued] = await due();
    await notifier.tick();
    await notifier.tick();
    expect(sentIds()).toEqual([queued?.id]);
    const [message] = receiver.received;
    const body = new Webhook(SECRET).verify(message?.body ?? "", message?.headers ?? {});
    expect(body).toEqual({
      type: "review.requested",
      timestamp: new Date(open.openedAtMs).toISOString(),
      data: {
        event_id: open.ref,
        state: "AWAITING_REVIEW",
        tool: "delete_record",
        upstream: "welfare",
        agent: "billing-bot",
        risk_score: 85,
        classification: "HIGH_RISK",
        reason_id: "risk.above_threshold",
        review_by: new Date(open.reviewByMs ?? 0).toISOString(),
        digest: open.actionDigest,
        url: `https://atlas.example/console/#/cases/${open.ref}`,
      },
    });
    expect(message?.body).not.toContain("s3cret");
    expect(await waiting()).toBe(0);
  });

  test("works off more messages than one batch holds", async () => {
    for (let i = 0; i < 30; i++) await gateway.openCase();
    await notifier.tick();
    expect(new Set(sentIds()).size).toBe(30);
    expect(await waiting()).toBe(0);
  });

  test("without a configured webhook takes messages off the outbox and sends nothing", async () => {
    notifier = start({ config: null });
    await gateway.openCase();
    await notifier.tick();
    expect(receiver.received).toEqual([]);
    expect(await waiting()).toBe(0);
  });

  test("of a case that is gone is dropped", async () => {
    notifier = start({ store: { ...recordedStore(), getCase: () => Promise.resolve(null) } });
    await gateway.openCase();
    await notifier.tick();
    expect(receiver.received).toEqual([]);
    expect(await waiting()).toBe(0);
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
    await gateway.openCase();
    await notifier.tick();
    expect(failures).toEqual([{ retryAtMs: gateway.clock.nowMs() + FIRST_RETRY_MS, error }]);
    await notifier.tick();
    expect(receiver.received).toHaveLength(1);

    gateway.clock.advance(FIRST_RETRY_MS);
    await notifier.tick();
    const [first, second] = sentIds();
    expect(second).toBe(first);
    expect(receiver.redirected).toEqual([]);
    expect(await waiting()).toBe(0);
  });

  test("by never answering is left after the deadline", async () => {
    notifier = start({ attemptDeadlineMs: 30 });
    receiver.plan.push("hang");
    await gateway.openCase();
    await notifier.tick();
    expect(failures).toMatchObject([{ error: "timeout" }]);
  });

  test("by not being there is tried again", async () => {
    await receiver.close();
    await gateway.openCase();
    await notifier.tick();
    expect(failures).toMatchObject([{ error: "ECONNREFUSED" }]);
    expect(await waiting()).toBe(1);
    receiver = await startWebhookReceiver();
  });

  test("by saying 410 is not asked again", async () => {
    receiver.plan.push(410);
    await gateway.openCase();
    await notifier.tick();
    expect(failures).toEqual([{ retryAtMs: null, error: "http 410" }]);
    expect(lines.join("")).toContain("given up");
    expect(await waiting()).toBe(0);
  });

  test("hears of it less and less often, and after a day no more", async () => {
    receiver.plan.push(...Array.from({ length: 100 }, () => 503));
    await gateway.openCase();
    const startedMs = gateway.clock.nowMs();
    const waits: number[] = [];
    for (;;) {
      await notifier.tick();
      const retryAtMs = failures.at(-1)?.retryAtMs ?? null;
      if (retryAtMs === null) break;
      waits.push(retryAtMs - gateway.clock.nowMs());
      gateway.clock.advance(retryAtMs - gateway.clock.nowMs());
    }
    expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(Math.max(...waits)).toBe(LONGEST_RETRY_MS);
    expect(gateway.clock.nowMs() - startedMs).toBeGreaterThan(GIVE_UP_AFTER_MS - LONGEST_RETRY_MS - 1);
    expect(gateway.clock.nowMs() - startedMs).toBeLessThanOrEqual(GIVE_UP_AFTER_MS);
    expect(lines.at(-1)).toContain("given up");
    expect(await waiting()).toBe(0);
  });

  test("does not hold up the rest of its batch", async () => {
    receiver.plan.push("hang", "hang");
    for (let i = 0; i < 8; i++) await gateway.openCase();
    const ticking = notifier.tick();
    await expect.poll(async () => (await due()).length).toBe(2);
    await notifier.close();
    await ticking;
  });
});

describe("the notifier", () => {
  test("delivers when woken, and a message that comes while it works, too", async () => {
    await gateway.openCase();
    notifier.wake();
    await expect.poll(() => receiver.received.length).toBe(1);
    await gateway.openCase();
    notifier.wake();
    await expect.poll(() => receiver.received.length).toBe(2);
  });

  test("never works twice at a time", async () => {
    await gateway.openCase();
    await Promise.all([notifier.tick(), notifier.tick(), notifier.tick()]);
    expect(receiver.received).toHaveLength(1);
  });

  test("stops at once and leaves an attempt that was cut short for the next start", async () => {
    receiver.plan.push("hang");
    await gateway.openCase();
    const ticking = notifier.tick();
    await expect.poll(() => receiver.received.length).toBe(1);
    await notifier.close();
    await ticking;
    expect(failures).toEqual([]);
    expect(await due()).toMatchObject([{ attempts: 0 }]);
  });

  test("goes on after the store failed", async () => {
    let broken = true;
    const store = recordedStore();
    const dueMessages = (limit: number) =>
      broken ? Promise.reject(new Error("disk")) : gateway.store.dueMessages(limit);
    notifier = start({ store: { ...store, dueMessages } });
    await gateway.openCase();
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
    const open = await gateway.openCase();
    await notifier.tick();
    expect(lines.join("")).toContain(open.ref);
    expect(lines.join("")).not.toMatch(/s3cret|whsec_|127\.0\.0\.1/);
  });
});
