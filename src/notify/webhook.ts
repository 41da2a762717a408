import { Webhook } from "standardwebhooks";
import type { WebhookConfig } from "../config/config.ts";
import type { Case } from "../domain/case.ts";
import type { Clock } from "../domain/clock.ts";
import { AtlasError } from "../domain/errors.ts";
import type { CaseStore, Notifier, OutboxMessage, OutboxStore } from "../governance/ports.ts";
import { describeError, type Log } from "../telemetry/log.ts";

/** How long a receiver has to answer one attempt. */
export const ATTEMPT_DEADLINE_MS = 10_000;
export const FIRST_RETRY_MS = 5_000;
export const LONGEST_RETRY_MS = 60 * 60_000;
/** A message older than this is given up: the case itself is still there to be found in the console. */
export const GIVE_UP_AFTER_MS = 24 * 60 * 60_000;

/** The outbox does not say when its next message is due, so it is looked at this often beside the retries known here. */
const SWEEP_MS = 60_000;

/** Messages in flight at a time: one receiver that hangs must not hold up the rest for its whole deadline each. */
const BATCH = 8;

export interface WebhookNotifierDeps {
  readonly store: OutboxStore & Pick<CaseStore, "getCase">;
  /** null: nobody is told, and messages are taken off the outbox as delivered. */
  readonly config: WebhookConfig | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch?: typeof fetch;
  /** Replaces {@link ATTEMPT_DEADLINE_MS}. */
  readonly attemptDeadlineMs?: number;
}

export interface WebhookNotifier extends Notifier {
  /** The first call begins the notifier's own round: messages of an earlier process go out, too. */
  wake(): void;
  /** Delivers everything that is due. Joins a tick that is already under way. @throws when the store fails. */
  tick(): Promise<void>;
}

/** What a receiver gets. No argument, no reason, no rationale: whoever may see those signs in. */
interface WebhookBody {
  readonly type: OutboxMessage["topic"];
  /** When it happened; the header has when it was sent. */
  readonly timestamp: string;
  readonly data: {
    readonly event_id: string;
    /** State as it is when the message is sent, which may be later than what the message tells of. */
    readonly state: string;
    readonly tool: string;
    readonly upstream: string;
    readonly agent: string;
    readonly risk_score: number | null;
    readonly classification: string | null;
    readonly reason_id: string;
    readonly review_by: string | null;
    readonly digest: string;
    readonly url: string;
  };
}

type Attempt =
  | { readonly kind: "delivered" }
  /** The receiver said that it is gone for good. */
  | { readonly kind: "gone" }
  | { readonly kind: "failed"; readonly error: string };

/**
 * Delivers outbox messages as Standard Webhooks, at least once: a receiver knows a message that it has seen by its
 * `webhook-id`, which every attempt repeats.
 *
 * @throws AtlasError `config.invalid` when the secret is not one.
 */
export function createWebhookNotifier(deps: WebhookNotifierDeps): WebhookNotifier {
  const send = deps.config === null ? null : createSender(deps.config, deps);
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  let lookAgain = false;
  let timer: { readonly handle: NodeJS.Timeout; readonly atMs: number } | undefined;

  /** One timer; a later wish never puts off an earlier one. */
  function planAt(atMs: number): void {
    if (stop.signal.aborted || (timer !== undefined && timer.atMs <= atMs)) return;
    clearTimeout(timer?.handle);
    const delayMs = Math.max(0, atMs - deps.clock.nowMs());
    timer = { handle: setTimeout(() => void fire(), delayMs).unref(), atMs };
  }

  async function fire(): Promise<void> {
    timer = undefined;
    try {
      await tick();
      const sweepAtMs = deps.clock.nowMs() + SWEEP_MS;
      planAt(Math.min(sweepAtMs, (await deps.store.nextMessageAtMs()) ?? sweepAtMs));
    } catch (error) {
      deps.log.error(
        { error },
        "The outbox of notifications could not be worked off; it will be tried again.",
      );
      planAt(deps.clock.nowMs() + FIRST_RETRY_MS);
    }
  }

  async function deliver(message: OutboxMessage): Promise<void> {
    const current = send === null ? null : await deps.store.getCase(message.ref);
    if (send === null || current === null) return deps.store.markDelivered(message.id);
    const attempt = await send(message, current, stop.signal);
    // An attempt that closing cut short proves nothing: the message stays due for the next start.
    if (stop.signal.aborted && attempt.kind === "failed") return;
    const retryAtMs = await settle(message, attempt, deps);
    if (retryAtMs !== null) planAt(retryAtMs);
  }

  async function deliverAll(): Promise<void> {
    let due: readonly OutboxMessage[];
    do {
      lookAgain = false;
      due = stop.signal.aborted ? [] : await deps.store.dueMessages(BATCH);
      await Promise.all(due.map(deliver));
    } while (due.length > 0 || lookAgain);
  }

  function tick(): Promise<void> {
    running ??= deliverAll().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    tick,
    wake: () => {
      lookAgain = true;
      if (running === undefined) planAt(deps.clock.nowMs());
    },
    close: async () => {
      stop.abort();
      clearTimeout(timer?.handle);
      await running?.catch(() => undefined); // Whoever ticked has the error already.
    },
  };
}

/** Writes down how an attempt ended. @returns when the message is due again; null when it is done with. */
async function settle(
  message: OutboxMessage,
  attempt: Attempt,
  deps: WebhookNotifierDeps,
): Promise<number | null> {
  const fields = { ref: message.ref, topic: message.topic, attempts: message.attempts + 1 };
  if (attempt.kind === "delivered") {
    deps.log.debug(fields, "Notification delivered.");
    await deps.store.markDelivered(message.id);
    return null;
  }
  const error = attempt.kind === "gone" ? "http 410" : attempt.error;
  const nextMs = deps.clock.nowMs() + retryDelayMs(message.attempts);
  const isLast = attempt.kind === "gone" || nextMs - message.createdAtMs > GIVE_UP_AFTER_MS;
  const retryAtMs = isLast ? null : nextMs;
  await deps.store.markAttemptFailed({ id: message.id, retryAtMs, error });
  if (isLast)
    deps.log.error(
      { ...fields, problem: error },
      "Notification given up; the webhook was not told of this case.",
    );
  else deps.log.warn({ ...fields, problem: error }, "Notification not delivered; it will be sent again.");
  return retryAtMs;
}

/** 5 s, 10 s, 20 s … 1 h. */
function retryDelayMs(attemptsBefore: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(attemptsBefore, 30), LONGEST_RETRY_MS);
}

type Sender = (message: OutboxMessage, current: Case, stop: AbortSignal) => Promise<Attempt>;

function createSender(config: WebhookConfig, deps: WebhookNotifierDeps): Sender {
  const webhook = signerFor(config.secret);
  const send = deps.fetch ?? fetch;
  const deadlineMs = deps.attemptDeadlineMs ?? ATTEMPT_DEADLINE_MS;
  return async (message, current, stop) => {
    const body = JSON.stringify(bodyOf(message, current, config));
    const sentAt = new Date(deps.clock.nowMs());
    try {
      const response = await send(config.url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "user-agent": "atlas-gateway",
          "webhook-id": message.id,
          "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1_000)),
          "webhook-signature": webhook.sign(message.id, sentAt, body),
        },
        body,
        // A redirect would carry a signed message to somebody the operator did not name.
        redirect: "error",
        signal: AbortSignal.any([stop, AbortSignal.timeout(deadlineMs)]),
      });
      // The answer's body says nothing to us, but unread it would hold the connection.
      await response.body?.cancel();
      return attemptOf(response.status);
    } catch (error) {
      return { kind: "failed", error: problemOf(error) };
    }
  };
}

function signerFor(secret: string): Webhook {
  try {
    return new Webhook(secret);
  } catch (cause) {
    const message =
      "The notification webhook's secret is not a Standard Webhooks secret (whsec_ and base64).";
    throw new AtlasError("config.invalid", message, { cause });
  }
}

function attemptOf(status: number): Attempt {
  if (status >= 200 && status < 300) return { kind: "delivered" };
  return status === 410 ? { kind: "gone" } : { kind: "failed", error: `http ${status}` };
}

/** A code, never a message: an error's message may hold the address, and the address a secret. */
function problemOf(error: unknown): string {
  const { name, code, cause } = describeError(error);
  if (name === "TimeoutError") return "timeout";
  if (
    error instanceof Error &&
    error.cause instanceof Error &&
    error.cause.message === "unexpected redirect"
  ) {
    return "redirect";
  }
  return cause?.code ?? code ?? name;
}

function bodyOf(message: OutboxMessage, current: Case, config: WebhookConfig): WebhookBody {
  return {
    type: message.topic,
    timestamp: new Date(message.createdAtMs).toISOString(),
    data: {
      event_id: current.ref,
      state: current.state,
      tool: current.tool,
      upstream: current.upstream,
      agent: current.agentId,
      risk_score: current.riskScore,
      classification: current.classification,
      reason_id: current.reasonId,
      review_by: current.reviewByMs === null ? null : new Date(current.reviewByMs).toISOString(),
      digest: current.actionDigest,
      url: `${config.consoleUrl.replace(/\/+$/, "")}/#/cases/${current.ref}`,
    },
  };
}
