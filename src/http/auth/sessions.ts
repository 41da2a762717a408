import type { Clock } from "../../domain/clock.ts";
import { sha256 } from "../../domain/digest.ts";
import { type PersonId, type RandomBytes, randomHex, type Sha256Hex } from "../../domain/ids.ts";

/** A browser signed in longer than this signs in again, used or not. */
export const SESSION_LIFETIME_MS = 12 * 60 * 60_000;
/** A browser that nobody used for this long is signed out. */
export const SESSION_IDLE_MS = 60 * 60_000;

const MAX_SESSIONS = 10_000;

interface Session {
  readonly personId: PersonId;
  readonly openedAtMs: number;
  usedAtMs: number;
}

/** Who is signed in with a browser. Kept in memory as hashes: a restart signs everybody out, a memory dump signs nobody in. */
export interface Sessions {
  /** @returns the id for the cookie, 256 random bits; it is kept nowhere. */
  open(personId: PersonId): string;
  /** The person of a live session, and notes that it is in use. */
  use(sessionId: string): PersonId | null;
  /** The person of a live session, without counting as use: a stream left open must not keep a session alive. */
  peek(sessionId: string): PersonId | null;
  close(sessionId: string): void;
}

export function createSessions(deps: { readonly clock: Clock; readonly random: RandomBytes }): Sessions {
  const sessions = new Map<Sha256Hex, Session>();

  function find(sessionId: string): Session | null {
    const key = sha256(sessionId);
    const session = sessions.get(key);
    if (session === undefined) return null;
    const now = deps.clock.nowMs();
    if (now - session.openedAtMs < SESSION_LIFETIME_MS && now - session.usedAtMs < SESSION_IDLE_MS)
      return session;
    sessions.delete(key);
    return null;
  }

  return {
    open: (personId) => {
      const oldest = sessions.size >= MAX_SESSIONS ? sessions.keys().next().value : undefined;
      if (oldest !== undefined) sessions.delete(oldest);
      const id = randomHex(32, deps.random);
      const now = deps.clock.nowMs();
      sessions.set(sha256(id), { personId, openedAtMs: now, usedAtMs: now });
      return id;
    },
    use: (sessionId) => {
      const session = find(sessionId);
      if (session === null) return null;
      session.usedAtMs = deps.clock.nowMs();
      return session.personId;
    },
    peek: (sessionId) => find(sessionId)?.personId ?? null,
    close: (sessionId) => void sessions.delete(sha256(sessionId)),
  };
}
