/** The known key that a mistyped one most likely means; undefined when none is near. */
export function nearestKey(typed: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(typed.length / 3));
  const ranked = known
    .map((key) => ({ key, distance: editDistance(normal(typed), normal(key)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= limit ? best.key : undefined;
}

/** `callDeadline`, `call-deadline` and `call_deadline` differ only in spelling. */
function normal(key: string): string {
  return key
    .slice(0, 64)
    .replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`)
    .replaceAll("-", "_");
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      current[j] = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
