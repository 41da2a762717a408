import { vi } from "vitest";

/** Waits for something that the gateway does by itself and that nothing announces; a slow machine only makes it longer. */
export function eventually(check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: 40_000, interval: 20 });
}
