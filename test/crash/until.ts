/** Only ends a test that would hang; nothing is decided by it. */
const GUARD_MS = 90_000;

/** Waits for what another process does, by looking. @throws Error when it does not come about at all. */
export async function until<Found>(
  what: string,
  look: () => Found | null | undefined | false,
): Promise<Found> {
  const end = performance.now() + GUARD_MS;
  for (;;) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
