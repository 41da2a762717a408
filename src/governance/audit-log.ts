import { createHmac } from "node:crypto";
import type { ImportedEntry } from "./import-ports.ts";

/** Longest line that is taken, in characters; longer ones are no entries of an audit log. */
const MAX_LINE = 1024 * 1024;

/** Names under which logs are known to write when something happened. */
const TIME_NAMES = ["timestamp", "time", "ts", "at", "created_at", "datetime"] as const;

/** Reads a log of one JSON object a line. What else it says is not looked at: the line itself is the evidence. */
export interface AuditLogReader {
  /** @returns the entry; null for an empty line; a text says why the line is none. */
  read(line: string): ImportedEntry | string | null;
}

/** @param key makes the entries' ids; the same key gives the same ids */
export function createAuditLogReader(key: Uint8Array): AuditLogReader {
  // A log may hold the same line twice, and mean it: the second of them is an entry of its own, also in a file that grew.
  const seen = new Map<string, number>();
  return {
    read(line) {
      const text = line.replace(/^\uFEFF/u, "").trim();
      if (text === "") return null;
      if (text.length > MAX_LINE) return "it is too long";
      const value = parsed(text);
      if (value === null) return "it is no JSON object";
      const digest = createHmac("sha256", key).update(text).digest("hex");
      const count = seen.get(digest) ?? 0;
      seen.set(digest, count + 1);
      return { id: count === 0 ? digest : `${digest}.${count}`, atMs: timeOf(value), text };
    },
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    // No JSON: the caller says which line.
    return null;
  }
}

/** Texts are read as ISO 8601, numbers as seconds or milliseconds since 1970, whichever is a time of this century. */
function timeOf(value: Readonly<Record<string, unknown>>): number | null {
  for (const name of TIME_NAMES) {
    const time = value[name];
    const ms =
      typeof time === "string"
        ? Date.parse(time)
        : typeof time === "number"
          ? time < 1e11
            ? time * 1000
            : time
          : Number.NaN;
    if (Number.isFinite(ms) && ms > 0 && ms < 8.64e15) return Math.round(ms);
  }
  return null;
}
