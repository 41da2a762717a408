import type { PersonId, Sha256Hex } from "../domain/ids.ts";
import type { Person } from "../domain/principal.ts";
import type { Session } from "../domain/session.ts";

/** A person and the hash of their password. */
export interface PasswordHolder {
  readonly person: Person;
  readonly hash: string;
}

/** What somebody signed in with; it must still be good when the session is opened. */
export type SignInProof =
  | { readonly kind: "password"; readonly hash: string }
  | { readonly kind: "token"; readonly sha256: Sha256Hex };

/** `last_admin`: the change would leave no admin, which only the command line may do. */
export type PersonChange = "done" | "unknown_person" | "last_admin";

/** How a person can sign in. */
export interface SignInMeans {
  readonly password: boolean;
  readonly token: boolean;
}

/**
 * People's passwords, tokens, roles and sessions: one verb a change, each atomic with its ledger event. Events hold ids only.
 * Whatever may have let somebody else in ends all sessions of the person in the same commit: a new password, a new token,
 * other roles, a revocation.
 *
 * `by` is the admin who makes the change; null is the command line on the data folder.
 *
 * @throws AtlasError `auth.wrong_principal` when `by` is not (any more) an admin, `store.failed` as for cases
 */
export interface AccountStore {
  /** null: there is no such person, they were revoked, or they have no password. */
  findPassword(id: PersonId): Promise<PasswordHolder | null>;
  /**
   * Sets the password of a person.
   *
   * @param own the person changes it themself, and this was the hash they proved to know (null: they had none)
   * @returns `outdated` when the hash on record is not that one any more
   */
  setPassword(params: {
    readonly id: PersonId;
    readonly hash: string;
    readonly own: { readonly replaces: string | null } | null;
  }): Promise<"set" | "unknown_person" | "outdated">;
  /** Stores the same password hashed at another cost; nothing else changes. */
  rehashPassword(params: {
    readonly id: PersonId;
    readonly replaces: string;
    readonly hash: string;
  }): Promise<void>;
  /** Gives a person a new token; theirs before open nothing any more. @returns false when there is no such person */
  rotateToken(params: {
    readonly id: PersonId;
    readonly tokenSha256: Sha256Hex;
    readonly by: PersonId | null;
  }): Promise<boolean>;
  changeRoles(params: {
    readonly id: PersonId;
    readonly roles: Person["roles"];
    readonly by: PersonId | null;
  }): Promise<PersonChange>;
  /** The person's password, tokens and sessions are gone for good, and their id means nobody else ever. */
  revokePerson(params: { readonly id: PersonId; readonly by: PersonId | null }): Promise<PersonChange>;
  /** How each person who is not revoked can sign in. */
  listSignInMeans(): Promise<ReadonlyMap<PersonId, SignInMeans>>;

  /**
   * Signs a browser in.
   *
   * @param sha256 of the session's id
   * @returns false when the person was revoked, lost all roles, or changed what they signed in with meanwhile
   */
  openSession(params: {
    readonly sha256: Sha256Hex;
    readonly personId: PersonId;
    readonly proof: SignInProof;
  }): Promise<boolean>;
  /** The session as it is on record, live or not; null when there is none. */
  findSession(sha256: Sha256Hex): Promise<Session | null>;
  /** Notes that the session is in use; no event, for nothing of what anybody may do changes. */
  noteSessionUse(sha256: Sha256Hex): Promise<void>;
  /** Signs one browser out; harmless when there is no such session. */
  closeSession(sha256: Sha256Hex): Promise<void>;
  /** Signs the person out of every browser, as they asked. @returns how many there were */
  closeAllSessions(personId: PersonId): Promise<number>;
  /** Somebody gave a wrong password for this person. */
  recordSignInFailed(personId: PersonId): Promise<void>;
}
