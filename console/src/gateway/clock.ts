import { useSyncExternalStore } from "react";

/** Gateway's clock minus the browser's, in milliseconds: deadlines are counted by the gateway's. */
let skewMs = 0;

export function setGatewayClock(iso: string): void {
  skewMs = Date.parse(iso) - Date.now();
  tick();
}

/** Now by the gateway's clock, in epoch milliseconds. */
export function gatewayNowMs(): number {
  return Date.now() + skewMs;
}

/** Rounded up, so that no deadline looks further away than it is. */
const secondNow = () => Math.ceil(gatewayNowMs() / 1000);

let second = secondNow();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    second = secondNow();
    timer = setInterval(tick, 1000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  second = secondNow();
  for (const listener of listeners) listener();
}

/** The gateway's time in whole seconds, in epoch milliseconds; one timer for all who look. */
export function useNowMs(): number {
  return useSyncExternalStore(subscribe, () => second) * 1000;
}
