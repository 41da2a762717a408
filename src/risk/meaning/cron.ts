/** How often a cron expression fires, in runs a day; null when the text is none, infinity when it cannot be told. */
export function readCron(text: string): number | null {
  const parts = text.trim().split(/\s+/u);
  if (parts.length !== 5 || !parts.every((part) => /^[\d*/,A-Z-]{1,40}$/iu.test(part))) return null;
  const [minute = "", hour = "", dayOfMonth = "", , weekday = ""] = parts;
  const perHour = valuesOf(minute, 60);
  const hours = valuesOf(hour, 24);
  const days =
    weekday === "*" ? (dayOfMonth === "*" ? 1 : valuesOf(dayOfMonth, 31) / 31) : valuesOf(weekday, 7) / 7;
  return perHour * hours * days;
}

function valuesOf(field: string, size: number): number {
  const total = field.split(",").reduce((sum, item) => {
    const [range = "", step = "1"] = item.split("/");
    const [from = "", to = from] = range.split("-");
    const span = range === "*" ? size : Math.max(1, Number(to) - Number(from) + 1);
    return sum + (Number.isFinite(span) ? Math.ceil(span / Math.max(1, Number(step))) : 1);
  }, 0);
  return Number.isFinite(total) ? Math.min(size, total) : Number.POSITIVE_INFINITY;
}
