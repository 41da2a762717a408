import { canonicalJson } from "../domain/jcs.ts";
import type { CaseStore, EngagedKillSwitch, GuardStore } from "../governance/ports.ts";
import type { CaseEvent } from "./contract.ts";
import type { KillSwitchEvent } from "./kill-switch-contract.ts";
import type { ToolEvent } from "./tool-contract.ts";

/** How often a stream says that it is alive, and asks whether its person still is. */
export const HEARTBEAT_MS = 15_000;

/** Events one slow reader may have waiting; it is cut off then, comes back, and fetches what it missed. */
const MAX_WAITING = 256;

export interface CaseEventsDeps {
  readonly store: Pick<CaseStore, "onChange"> & Pick<GuardStore, "onToolChange" | "listKillSwitches">;
  readonly maxListeners?: number;
}

/** Live changes for browsers: one subscription to the store and one timer, however many listen. */
export interface CaseEvents {
  /**
   * A stream in the format of `text/event-stream`; null when too many listen already.
   *
   * @param isAllowed asked at each heartbeat; the stream ends when the answer is no.
   */
  open(isAllowed: () => Promise<boolean>): ReadableStream<Uint8Array> | null;
  /** Tells of kill switches now. One that another process engaged is told of at the next heartbeat. */
  killSwitchesChanged(): Promise<void>;
  /** Sends heartbeats now; the timer does the same. */
  beat(): Promise<void>;
  /** Ends all streams. */
  close(): void;
}

interface Listener {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly isAllowed: () => Promise<boolean>;
}

export function createCaseEvents(deps: CaseEventsDeps): CaseEvents {
  const maxListeners = deps.maxListeners ?? 200;
  const listeners = new Set<Listener>();
  const encoder = new TextEncoder();
  let closed = false;

  function drop(listener: Listener): void {
    if (listeners.delete(listener)) listener.controller.close();
  }

  function send(listener: Listener, text: string): void {
    if (!listeners.has(listener)) return;
    if ((listener.controller.desiredSize ?? 0) <= 0) drop(listener);
    else listener.controller.enqueue(encoder.encode(text));
  }

  /** What was told last; a page that opens reads for itself. */
  let told = describeAll([]);

  async function killSwitchesChanged(): Promise<void> {
    const engaged = await deps.store.listKillSwitches();
    const now = describeAll(engaged);
    if (now === told) return;
    told = now;
    const event: KillSwitchEvent = { engaged: engaged.length };
    for (const listener of listeners)
      send(listener, `event: kill_switches\ndata: ${JSON.stringify(event)}\n\n`);
  }

  async function beat(): Promise<void> {
    if (listeners.size > 0) await killSwitchesChanged().catch(() => undefined);
    await Promise.all(
      [...listeners].map(async (listener) => {
        // A store that cannot say who may read is no reason to let anybody read on.
        const allowed = await listener.isAllowed().catch(() => false);
        if (allowed) send(listener, ": still here\n\n");
        else drop(listener);
      }),
    );
  }

  const stopListening = deps.store.onChange((change) => {
    const event: CaseEvent = { ref: change.ref, state: change.to, revision: change.revision };
    const text = `event: case\ndata: ${JSON.stringify(event)}\n\n`;
    for (const listener of listeners) send(listener, text);
  });
  const stopTools = deps.store.onToolChange(({ upstream, name }) => {
    const event: ToolEvent = { upstream, name };
    for (const listener of listeners) send(listener, `event: tool\ndata: ${JSON.stringify(event)}\n\n`);
  });
  const timer = setInterval(() => void beat(), HEARTBEAT_MS).unref();

  return {
    beat,
    killSwitchesChanged,
    open: (isAllowed) => {
      if (closed || listeners.size >= maxListeners) return null;
      let opened: Listener | undefined;
      return new ReadableStream<Uint8Array>(
        {
          start: (controller) => {
            opened = { controller, isAllowed };
            listeners.add(opened);
            send(opened, "retry: 3000\n: connected\n\n");
          },
          cancel: () => {
            if (opened !== undefined) listeners.delete(opened);
          },
        },
        { highWaterMark: MAX_WAITING },
      );
    },
    close: () => {
      closed = true;
      clearInterval(timer);
      stopListening();
      stopTools();
      for (const listener of listeners) drop(listener);
    },
  };
}

function describeAll(engaged: readonly EngagedKillSwitch[]): string {
  return canonicalJson(engaged.map(({ scope, target, sinceMs }) => [scope, target, sinceMs]));
}
