const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export const DURATION_PATTERN = /^(\d{1,9})(ms|s|m|h|d)$/u;

/** What every complaint about a duration says. */
export const DURATION_FORMS = "write a whole number and a unit: 500ms, 10s, 5m, 24h or 7d";

/** Milliseconds of a duration such as `24h`; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION_PATTERN.exec(text);
  const unit = UNITS_MS[match?.[2] ?? ""];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}
