import type { Clock } from "../../domain/clock.ts";
import { sha256 } from "../../domain/digest.ts";
import { type PersonId, type RandomBytes, randomHex } from "../../domain/ids.ts";
import { isLive, SESSION_NOTED_MS, type Session } from "../../domain/session.ts";
import type { AccountStore, SignInProof } from "../../governance/account-ports.ts";

/**
 * Who is signed in with a browser. The store holds hashes of the ids only: a copy of the database signs nobody in, a restart
 * signs nobody out, and what the command line revokes beside the gateway ends here, too.
 */
export interface Sessions {
  /**
   * @returns the id for the cookie, 256 random bits, which is kept nowhere; null when what the person signed in with stopped
   * being good meanwhile
   */
  open(personId: PersonId, proof: SignInProof): Promise<string | null>;
  /** The person of a live session, and notes that it is in use. */
  use(sessionId: string): Promise<PersonId | null>;
  /** The person of a live session, without counting as use: a stream left open must not keep a session alive. */
  peek(sessionId: string): Promise<PersonId | null>;
  close(sessionId: string): Promise<void>;
}

export interface SessionsDeps {
  readonly store: Pick<AccountStore, "openSession" | "findSession" | "noteSessionUse" | "closeSession">;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

export function createSessions({ store, clock, random }: SessionsDeps): Sessions {
  async function find(sessionId: string): Promise<Session | null> {
    const session = await store.findSession(sha256(sessionId));
    return session !== null && isLive(session, clock.nowMs()) ? session : null;
  }

  return {
    open: async (personId, proof) => {
      const id = randomHex(32, random);
      return (await store.openSession({ sha256: sha256(id), personId, proof })) ? id : null;
    },
    use: async (sessionId) => {
      const session = await find(sessionId);
      if (session === null) return null;
      if (clock.nowMs() - session.usedAtMs >= SESSION_NOTED_MS) await store.noteSessionUse(sha256(sessionId));
      return session.personId;
    },
    peek: async (sessionId) => (await find(sessionId))?.personId ?? null,
    close: (sessionId) => store.closeSession(sha256(sessionId)),
  };
}
