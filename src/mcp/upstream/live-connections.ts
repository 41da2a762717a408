import type { Clock } from "../../domain/clock.ts";
import { DISPATCH_WITHIN_MS } from "../../governance/dispatch.ts";
import type { LiveClient } from "../../governance/live-client.ts";
import type { DispatchOutcome } from "../../governance/ports.ts";
import { backoffMs, type Delay } from "./backoff.ts";
import { reasonOf } from "./connect.ts";
import type { Connection, ConnectionCall, DispatchReport } from "./connection.ts";
import type { ReadRequest } from "./reading.ts";

export interface LiveConnectionsParams {
  /** @param client whom the upstream may ask on this connection; null: nobody */
  readonly open: (client: LiveClient | null) => Promise<Connection>;
  readonly clock: Clock;
  readonly delay: Delay;
  readonly random: () => number;
  /** Bound on connections to this upstream. */
  readonly max: number;
}

/** A restart that is put off for longer than this is not waited for by a caller on the line. */
const LONGEST_READY_WAIT_MS = 5_000;

/** Which connection a call takes. */
export interface Line {
  /** Calls of one key share a connection. */
  readonly key: string;
  /** The same for all calls of one key. */
  readonly client: LiveClient | null;
}

/** Connections of one upstream that live calls share, one for each key: for all, for an agent, or for a session. */
export interface LiveConnections {
  /** Brings the connection up, or finds that it does not come up now. Never throws. */
  ready(line: Line): Promise<void>;
  dispatch(line: Line, call: ConnectionCall): Promise<DispatchOutcome>;
  read(line: Line, request: ReadRequest): Promise<DispatchOutcome>;
  /** Closes the key's connection when its calls in flight have ended; a later call of the key gets a new one. Never throws. */
  end(key: string): void;
  /** The same for every key. */
  endAll(): void;
  /** Closes what nobody used for `idleMs`. */
  closeIdle(idleMs: number): Promise<void>;
  close(): Promise<void>;
}

interface Slot {
  readonly client: LiveClient | null;
  connection: Promise<Connection> | null;
  inFlight: number;
  usedAtMs: number;
  /** Connections in a row that broke or never came up without having answered a call. */
  failures: number;
  /** Monotonic time before which no new attempt is made. */
  retryAtMs: number;
}

interface Context extends LiveConnectionsParams {
  readonly stop: AbortController;
}

export function createLiveConnections(params: LiveConnectionsParams): LiveConnections {
  const { clock } = params;
  const slots = new Map<string, Slot>();
  const context: Context = { ...params, stop: new AbortController() };
  const { signal } = context.stop;
  /** Taken out of `slots`, with calls in flight. */
  const ending = new Set<Slot>();

  const slotOf = ({ key, client }: Line): Slot | null => {
    const existing = slots.get(key);
    if (existing !== undefined) return existing;
    if (slots.size + ending.size >= params.max && !evictIdlest(slots)) return null;
    const slot = newSlot(client, clock.monotonicMs());
    slots.set(key, slot);
    return slot;
  };

  const end = (key: string): void => {
    const slot = slots.get(key);
    if (slot === undefined) return;
    slots.delete(key);
    ending.add(slot);
    releaseEnded(slot, ending);
  };
  const leave = (slot: Slot): void => {
    slot.inFlight -= 1;
    slot.usedAtMs = clock.monotonicMs();
    releaseEnded(slot, ending);
  };

  const carry = async (line: Line, sending: Sending): Promise<DispatchOutcome> => {
    if (signal.aborted) return notSent("the gateway is stopping");
    const slot = slotOf(line);
    if (slot === null) return notSent("too many connections to the upstream are in use");
    slot.inFlight += 1;
    try {
      return await sendOn(context, slot, sending);
    } finally {
      leave(slot);
    }
  };

  return {
    ready: async (line) => {
      const slot = signal.aborted ? null : slotOf(line);
      if (slot === null) return;
      const waitMs = slot.retryAtMs - clock.monotonicMs();
      if (slot.connection === null && slot.failures > 0 && waitMs > LONGEST_READY_WAIT_MS) return;
      slot.inFlight += 1;
      try {
        await connected(context, slot);
      } catch {
        // The dispatch that follows says why.
      } finally {
        leave(slot);
      }
    },
    dispatch: (line, call) =>
      carry(line, { by: call.dispatchByMonotonicMs, on: (connection) => connection.dispatch(call) }),
    read: (line, request) =>
      carry(line, {
        by: clock.monotonicMs() + DISPATCH_WITHIN_MS,
        on: (connection) => connection.read(request),
      }),
    end,
    endAll: () => {
      for (const key of slots.keys()) end(key);
    },
    closeIdle: async (idleMs) => {
      const before = clock.monotonicMs() - idleMs;
      const idle = [...slots].filter(([, slot]) => slot.inFlight === 0 && slot.usedAtMs <= before);
      for (const [key] of idle) slots.delete(key);
      await Promise.all(idle.map(([, slot]) => release(slot)));
    },
    close: async () => {
      context.stop.abort();
      const all = [...slots.values(), ...ending];
      slots.clear();
      await Promise.all(all.map(release));
    },
  };
}

/** One request for a connection that may have to be made first. */
interface Sending {
  /** Monotonic time after which it is of no use to send it. */
  readonly by: number;
  readonly on: (connection: Connection) => Promise<DispatchReport>;
}

async function sendOn(context: Context, slot: Slot, sending: Sending): Promise<DispatchOutcome> {
  const report = await sendOnce(context, slot, sending);
  if (!report.stale || context.stop.signal.aborted) return report.outcome;
  // Provably unread by the dead connection, so once more on a new one cannot run it twice.
  return (await sendOnce(context, slot, sending)).outcome;
}

async function sendOnce(context: Context, slot: Slot, sending: Sending): Promise<DispatchReport> {
  // Waiting out a backoff that ends after the deadline would only turn "unreachable" into "late".
  if (slot.connection === null && slot.failures > 0 && slot.retryAtMs > sending.by) {
    return { outcome: notSent("the upstream is being restarted"), stale: false };
  }
  const connecting = connected(context, slot);
  let connection: Connection;
  try {
    connection = await connecting;
  } catch (error) {
    return { outcome: notSent(reasonOf(error)), stale: false };
  }
  const report = await sending.on(connection);
  if (report.outcome.kind === "answered" || report.outcome.kind === "protocol_error") slot.failures = 0;
  if (report.stale && slot.connection === connecting) slot.connection = null;
  return report;
}

function connected(context: Context, slot: Slot): Promise<Connection> {
  if (slot.connection !== null) return slot.connection;
  const connecting = reconnect(context, slot);
  slot.connection = connecting;
  void watch(context, slot, connecting);
  return connecting;
}

async function reconnect(context: Context, slot: Slot): Promise<Connection> {
  const wait = slot.retryAtMs - context.clock.monotonicMs();
  if (slot.failures > 0 && wait > 0) await context.delay(wait, context.stop.signal);
  const connection = await context.open(slot.client);
  if (context.stop.signal.aborted) await connection.close();
  return connection;
}

/** Frees the slot when its connection failed or broke, and puts off the next attempt. */
async function watch(context: Context, slot: Slot, connecting: Promise<Connection>): Promise<void> {
  try {
    await (await connecting).closed;
  } catch {
    // Whoever asked for the connection is told why.
  }
  if (slot.connection !== connecting) return;
  slot.connection = null;
  slot.failures += 1;
  slot.retryAtMs = context.clock.monotonicMs() + backoffMs(slot.failures, context.random());
}

function newSlot(client: LiveClient | null, usedAtMs: number): Slot {
  return { client, connection: null, inFlight: 0, usedAtMs, failures: 0, retryAtMs: 0 };
}

/** @returns false when every connection is in use. */
function evictIdlest(slots: Map<string, Slot>): boolean {
  const idle = [...slots].filter(([, slot]) => slot.inFlight === 0);
  const oldest = idle.sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs)[0];
  if (oldest === undefined) return false;
  slots.delete(oldest[0]);
  void release(oldest[1]);
  return true;
}

/** Closes the connection of a slot that was ended, once its last call in flight has ended. */
function releaseEnded(slot: Slot, ending: Set<Slot>): void {
  if (slot.inFlight > 0 || !ending.delete(slot)) return;
  void release(slot).catch(() => undefined);
}

async function release(slot: Slot): Promise<void> {
  const { connection } = slot;
  slot.connection = null;
  // A connection that never came up has nothing to close.
  await connection?.then(
    (open) => open.close(),
    () => undefined,
  );
}

function notSent(detail: string): DispatchOutcome {
  return { kind: "not_sent", late: false, detail };
}
