/** `problem`: something does not work or is not safe; `warning`: somebody should look; `ok`: looked at and fine. */
export type Level = "ok" | "warning" | "problem";

/** One thing that was looked at. */
export interface Finding {
  /** What was looked at, one or two words. */
  readonly topic: string;
  readonly level: Level;
  /** What is there. Never a secret or a text of a case. */
  readonly sentence: string;
  /** What to do about it; null when nothing. */
  readonly advice: string | null;
}

export function fine(topic: string, sentence: string): Finding {
  return { topic, level: "ok", sentence, advice: null };
}

export function warning(topic: string, sentence: string, advice: string): Finding {
  return { topic, level: "warning", sentence, advice };
}

export function problem(topic: string, sentence: string, advice: string): Finding {
  return { topic, level: "problem", sentence, advice };
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** `3.2 GiB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
