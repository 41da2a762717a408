const UNITS: Readonly<Record<string, number>> = { KiB: 1_024, MiB: 1_024 ** 2 };

export const SIZE_PATTERN = /^(\d{1,9})(KiB|MiB)$/u;

/** What every complaint about a size says. */
export const SIZE_FORMS = "write a whole number and a unit: 512KiB or 10MiB";

/** Bytes of a size such as `10MiB`; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const match = SIZE_PATTERN.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}
