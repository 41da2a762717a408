import type { ReactNode } from "react";
import { useNowMs } from "../gateway/clock.ts";

const two = (n: number) => String(n).padStart(2, "0");

/** `2 h 05 min`, `4 min 09 s`. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s >= 172_800) return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
  if (s >= 60) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${s} s`;
}

/** `2026-11-21 22:17:51 UTC+01:00`: the reader's own time, which no reader can take for another day. */
export function Time({ iso }: { readonly iso: string }): ReactNode {
  const date = new Date(iso);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  const ahead = -date.getTimezoneOffset();
  const zone = `${ahead < 0 ? "-" : "+"}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`;
  return (
    <time dateTime={iso} title={iso} className="whitespace-nowrap tabular-nums">
      {day} {time}
      <span className="text-[0.85em] text-quiet"> UTC{zone}</span>
    </time>
  );
}

/** How long ago, roughly; the exact time is in its title. */
export function Ago({ iso }: { readonly iso: string }): ReactNode {
  const ms = Math.max(0, useNowMs() - Date.parse(iso));
  return (
    <time dateTime={iso} title={iso} className="whitespace-nowrap tabular-nums">
      {ms < 5_000 ? "just now" : `${roughly(ms)} ago`}
    </time>
  );
}

function roughly(ms: number): string {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

/** From then on a deadline is worth a colour, in milliseconds. */
const SOON_MS = 15 * 60_000;

/** Counts down by the gateway's clock. */
export function Countdown({ iso }: { readonly iso: string }): ReactNode {
  const leftMs = Date.parse(iso) - useNowMs();
  return (
    <span title={iso} data-countdown className={leftMs < SOON_MS ? "font-medium text-grave" : ""}>
      <span className="whitespace-nowrap tabular-nums">
        {leftMs <= 0 ? "deadline passed" : `${duration(leftMs)} left`}
      </span>
    </span>
  );
}
