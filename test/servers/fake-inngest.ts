import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { canonicalJson } from "../../src/domain/jcs.ts";
import {
  createFakeExecutor,
  type FakeEvent,
  type FakeRun,
  type RegisteredFunction,
} from "./fake-inngest-executor.ts";

/**
 * A stand-in for an Inngest server: sync, signed calls, run and wait steps, parallel steps, retries with its backoff, time-outs and event-id
 * dedupe, all in the time that the test gives, without checkpointing. It can misbehave as a real one does, and it verifies what it is sent.
 */
export interface FakeInngest {
  /** What a gateway's SDK reaches. */
  fetch: (request: Request) => Promise<Response>;
  /** An event from anybody who reaches the server. */
  receive(event: FakeEvent): void;
  /** Does everything that is due, and what that makes due. @returns how many calls it made */
  runDue(): Promise<number>;
  /** When the next thing is due; null when nothing is. */
  nextDueAtMs(): number | null;
  /** Loses all runs, events and functions, as a server without a persistent Redis does when it restarts. */
  forgetEverything(): void;
  /** Delivers what `faults.holdEvents` kept back. */
  deliverHeld(order: "as sent" | "reversed"): void;
  readonly faults: Faults;
  /** Every event that was taken, lost ones too. */
  readonly events: readonly FakeEvent[];
  readonly runs: readonly FakeRun[];
  readonly functions: readonly RegisteredFunction[];
  /** What was wrong about what it was sent. */
  readonly violations: readonly string[];
  /** A signed call as the server would make it, for replays. */
  sign(body: unknown, atMs?: number): string;
}

export interface Faults {
  /** Nothing is answered, nothing is called. */
  down: boolean;
  /** Takes the next so many events, says so, and loses them. */
  loseEvents: number;
  /** Every event arrives twice. */
  duplicateEvents: boolean;
  holdEvents: boolean;
  /** Every call is made twice at the same time, and the second answer forgotten. */
  duplicateCalls: boolean;
  /** The next so many answers of the app are lost, and the calls made again. */
  loseAnswers: number;
}

export interface FakeInngestParams {
  readonly nowMs: () => number;
  readonly eventKey: string;
  /** `signkey-…` and an even number of hex digits. */
  readonly signingKey: string;
  /** How the app is reached. */
  readonly call: (url: string, init: RequestInit) => Promise<Response>;
  /** Texts that must not be in anything that is sent here. */
  readonly forbidden?: readonly string[];
}

/** Everything that an event of ours may say. */
const MAY_SAY: Readonly<Record<string, readonly string[]>> = {
  "atlas/tool.execution_requested": [
    "event_id",
    "generation",
    "upstream",
    "tool",
    "risk_score",
    "classification",
    "state",
  ],
  "atlas/sarah.decision": ["event_id", "decision", "state", "reviewer"],
  "atlas/review.requested": ["event_id", "upstream", "tool", "risk_score", "classification", "review_by"],
};

export function createFakeInngest(params: FakeInngestParams): FakeInngest {
  const faults: Faults = {
    down: false,
    loseEvents: 0,
    duplicateEvents: false,
    holdEvents: false,
    duplicateCalls: false,
    loseAnswers: 0,
  };
  const events: FakeEvent[] = [];
  const violations: string[] = [];
  let held: FakeEvent[] = [];
  const key = params.signingKey.replace(/^signkey-\w+-/, "");
  const sign = (body: unknown, atMs = Date.now()) => {
    const t = Math.floor(atMs / 1_000);
    const s = createHmac("sha256", key)
      .update(canonicalJson(body as never))
      .update(String(t))
      .digest("hex");
    return `t=${t}&s=${s}`;
  };

  async function call(
    url: string,
    body: unknown,
  ): Promise<{ status: number; headers: Headers; text: string }> {
    const answer = await params.call(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        host: new URL(url).host,
        "x-inngest-signature": sign(body),
        "x-inngest-server-kind": "cloud",
      },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (answer.status === 200 || answer.status === 206) checkAnswer(text, answer.headers);
    forbid(text, "an answer");
    if (faults.loseAnswers > 0) {
      faults.loseAnswers--;
      throw new Error("the answer was lost");
    }
    return { status: answer.status, headers: answer.headers, text };
  }

  function checkAnswer(text: string, headers: Headers): void {
    const given = new URLSearchParams(headers.get("x-inngest-signature") ?? "");
    const expected = createHmac("sha256", key)
      .update(text)
      .update(given.get("t") ?? "")
      .digest();
    const shown = Buffer.from(given.get("s") ?? "", "hex");
    if (shown.length !== expected.length || !timingSafeEqual(shown, expected))
      violations.push("an answer is not signed");
  }

  function forbid(text: string, what: string): void {
    for (const marker of params.forbidden ?? [])
      if (text.includes(marker)) violations.push(`${what} holds ${marker}`);
  }

  const executor = createFakeExecutor({
    nowMs: params.nowMs,
    isDown: () => faults.down,
    async call(url, body) {
      if (!faults.duplicateCalls) return call(url, body);
      const [answer] = await Promise.all([call(url, body), call(url, body).catch(() => undefined)]);
      return answer;
    },
  });

  function deliver(event: FakeEvent): void {
    executor.deliver(event);
    if (faults.duplicateEvents) executor.deliver(event);
  }

  function receive(event: FakeEvent): void {
    events.push(event);
    if (faults.loseEvents > 0) faults.loseEvents--;
    else if (faults.holdEvents) held.push(event);
    else deliver(event);
  }

  function receiveAll(sent: readonly FakeEvent[]): Response {
    for (const event of sent) {
      const allowed = MAY_SAY[event.name] ?? [];
      const strays = Object.keys(event.data).filter((name) => !allowed.includes(name));
      if (strays.length > 0) violations.push(`${event.name} says ${strays.join(", ")}`);
      if (typeof event.id !== "string") violations.push(`${event.name} has no id`);
      forbid(JSON.stringify(event), event.name);
      receive(event);
    }
    return Response.json({ ids: sent.map((_, i) => `01FAKE${i}`), status: 200 });
  }

  return {
    faults,
    events,
    violations,
    sign,
    receive,
    runDue: executor.runDue,
    nextDueAtMs: executor.nextDueAtMs,
    runs: executor.runs,
    functions: executor.functions,
    forgetEverything() {
      held = [];
      executor.forgetEverything();
    },
    deliverHeld(order) {
      faults.holdEvents = false;
      const kept = order === "reversed" ? held.toReversed() : held;
      held = [];
      for (const event of kept) deliver(event);
    },
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (faults.down) return new Response("down", { status: 503 });
      if (pathname.startsWith("/e/")) {
        if (pathname !== `/e/${params.eventKey}`)
          return Response.json({ ids: [], status: 401, error: "Event key not found" }, { status: 401 });
        const sent: unknown = await request.json();
        return receiveAll((Array.isArray(sent) ? sent : [sent]) as FakeEvent[]);
      }
      if (pathname === "/health") return Response.json({ status: 200, message: "OK" });
      if (pathname.startsWith("/v1/")) {
        const isKnown = request.headers.get("authorization") === `Bearer ${params.signingKey}`;
        return new Response(null, { status: isKnown ? 404 : 401 });
      }
      if (pathname !== "/fn/register") return new Response("no such path", { status: 404 });
      const bearer = `Bearer ${hashedKey(params.signingKey)}`;
      if (request.headers.get("authorization") !== bearer)
        return Response.json({ error: "no" }, { status: 401 });
      executor.register(((await request.json()) as { functions: RegisteredFunction[] }).functions);
      return Response.json({ ok: true, modified: true });
    },
  };
}

/** As the SDK shows who it is: the prefix, and the SHA-256 of the key's bytes. */
function hashedKey(signingKey: string): string {
  const prefix = /^signkey-\w+-/.exec(signingKey)?.[0] ?? "";
  const bytes = Buffer.from(signingKey.slice(prefix.length), "hex");
  return prefix + createHash("sha256").update(bytes).digest("hex");
}
