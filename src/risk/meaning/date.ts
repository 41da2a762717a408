/** UTC milliseconds of an ISO date, or null. Other notations are ambiguous between countries and are not read. */
export function readDate(text: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[T ][\d:.]{2,15}(?:Z|[+-]\d{2}:?\d{2})?)?$/u.exec(text.trim());
  if (match === null) return null;
  const time = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  return Number.isFinite(time) ? time : null;
}
