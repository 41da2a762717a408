/** Amount of money, in whatever currency the call uses; null when the text is none. */
export function readAmount(value: string | number | boolean | null): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? Math.abs(value) : Number.POSITIVE_INFINITY;
  if (typeof value !== "string") return null;
  const match = AMOUNT.exec(value.trim());
  if (match === null) return null;
  const size = decimal(match[2] ?? "");
  const scale = SCALES[(match[3] ?? "").toLowerCase()] ?? 1;
  return Number.isFinite(size) ? size * scale : null;
}

const CURRENCY = "(?:[$€£¥₹]|[A-Z]{3}|euros?|dollars?|pounds?|eur|usd|gbp|chf)";
const AMOUNT = new RegExp(
  `^(${CURRENCY})?\\s?[-+]?(\\d[\\d.,' ]{0,24})\\s?(k|m|mio|million|thousand|bn|billion)?\\s?${CURRENCY}?$`,
  "iu",
);
const SCALES: Readonly<Record<string, number>> = {
  k: 1e3,
  thousand: 1e3,
  m: 1e6,
  mio: 1e6,
  million: 1e6,
  bn: 1e9,
  billion: 1e9,
};

/** `1.234,56`, `1,234.56`, `1'234`: the last separator with one or two digits after it is the decimal one. */
function decimal(text: string): number {
  const tidy = text.replace(/[\s']/gu, "");
  const cut = /[.,](\d{1,2})$/u.exec(tidy);
  const whole = tidy.slice(0, cut?.index).replace(/[.,]/gu, "");
  return Number(cut === null ? whole : `${whole}.${cut[1] ?? "0"}`);
}
