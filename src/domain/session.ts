import type { PersonId } from "./ids.ts";

/** A browser signed in longer than this signs in again, used or not. */
export const SESSION_LIFETIME_MS = 12 * 60 * 60_000;
/** A browser that nobody used for this long is signed out. */
export const SESSION_IDLE_MS = 60 * 60_000;
/** Use is noted no more often than this, so that reading does not write; a session may end so much earlier than idle. */
export const SESSION_NOTED_MS = 60_000;
/** Browsers one person may be signed in with; the one used longest ago is signed out. */
export const MAX_SESSIONS_OF_PERSON = 20;

/** A person signed in with a browser. The id in the cookie is kept nowhere, only its SHA-256. */
export interface Session {
  readonly personId: PersonId;
  readonly openedAtMs: number;
  readonly usedAtMs: number;
}

export function isLive(session: Session, nowMs: number): boolean {
  return nowMs - session.openedAtMs < SESSION_LIFETIME_MS && nowMs - session.usedAtMs < SESSION_IDLE_MS;
}
