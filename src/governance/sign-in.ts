import { sha256 } from "../domain/digest.ts";
import { ID_PATTERN, type PersonId, personId } from "../domain/ids.ts";
import { passwordProblem } from "../domain/password.ts";
import type { Person } from "../domain/principal.ts";
import type { AccountStore } from "./account-ports.ts";
import type { PasswordHasher } from "./password-hash.ts";
import type { PrincipalStore } from "./ports.ts";

export interface SignInDeps {
  readonly store: Pick<AccountStore, "findPassword" | "recordSignInFailed" | "rehashPassword">;
  readonly passwords: PasswordHasher;
  /** A failed sign-in could not be recorded; the answer is the same, and does not wait for it. */
  readonly onNotRecorded: (error: unknown) => void;
}

export type PasswordCheck =
  /** `hash`: what the session is opened with. */
  | { readonly kind: "matches"; readonly person: Person; readonly hash: string }
  /** Wrong, or there is no such account, or it has no password: nobody is told which. */
  | { readonly kind: "differs" }
  /** Too many passwords are being checked. */
  | { readonly kind: "busy" };

/**
 * Checks a password. An account that does not exist costs one hash, like a wrong password, and only what exists is
 * recorded, after the answer: neither what is said nor how long it takes tells which accounts there are.
 */
export async function checkPassword(
  params: { readonly account: string; readonly password: string },
  deps: SignInDeps,
): Promise<PasswordCheck> {
  const { store, passwords } = deps;
  const known = ID_PATTERN.test(params.account) ? await store.findPassword(personId(params.account)) : null;
  const verified = await passwords.verify(params.password, known?.hash ?? null);
  if (verified.kind === "busy") return verified;
  if (verified.kind === "differs" || known === null) {
    if (known !== null) void store.recordSignInFailed(known.person.id).catch(deps.onNotRecorded);
    return { kind: "differs" };
  }
  const { person, hash } = known;
  if (!verified.outdated) return { kind: "matches", person, hash };
  // The cost was raised since: this is the one moment in which the password is known. When all are busy, the next time.
  const renewed = await passwords.hash(params.password);
  if (renewed === null) return { kind: "matches", person, hash };
  await store.rehashPassword({ id: person.id, replaces: hash, hash: renewed });
  return { kind: "matches", person, hash: renewed };
}

export interface ChangePasswordDeps extends SignInDeps {
  readonly store: SignInDeps["store"] &
    Pick<AccountStore, "setPassword"> &
    Pick<PrincipalStore, "findByCredential">;
}

export interface PasswordChange {
  readonly person: Person;
  /** The old password; or the personal token, of a person who has no password yet. */
  readonly proof: { readonly oldPassword: string } | { readonly token: string };
  readonly newPassword: string;
}

export type PasswordChangeResult =
  | { readonly kind: "changed" }
  /** Ends a sentence that begins with "The password". */
  | { readonly kind: "unacceptable"; readonly problem: string }
  /** The proof is wrong, or is not what this person has to give. */
  | { readonly kind: "not_proved"; readonly needs: "old_password" | "token" }
  /** Somebody changed it meanwhile. */
  | { readonly kind: "outdated" }
  | { readonly kind: "busy" };

/** A person's own change of password: they prove again who they are, and every browser of theirs is signed out. */
export async function changePassword(
  change: PasswordChange,
  deps: ChangePasswordDeps,
): Promise<PasswordChangeResult> {
  const { id } = change.person;
  const problem = passwordProblem(change.newPassword, id);
  if (problem !== null) return { kind: "unacceptable", problem };
  const known = await deps.store.findPassword(id);
  const refusal = known === null ? await checkToken(change, deps) : await checkOld(change, known.hash, deps);
  if (refusal !== null) return refusal;
  const hash = await deps.passwords.hash(change.newPassword);
  if (hash === null) return { kind: "busy" };
  const result = await deps.store.setPassword({ id, hash, own: { replaces: known?.hash ?? null } });
  return result === "set" ? { kind: "changed" } : { kind: "outdated" };
}

async function checkOld(
  { person, proof }: PasswordChange,
  hash: string,
  deps: ChangePasswordDeps,
): Promise<PasswordChangeResult | null> {
  const refusal = { kind: "not_proved", needs: "old_password" } as const;
  if (!("oldPassword" in proof)) return refusal;
  const verified = await deps.passwords.verify(proof.oldPassword, hash);
  if (verified.kind === "busy") return verified;
  if (verified.kind === "matches") return null;
  await deps.store.recordSignInFailed(person.id);
  return refusal;
}

async function checkToken(
  { person, proof }: PasswordChange,
  deps: ChangePasswordDeps,
): Promise<PasswordChangeResult | null> {
  const found = "token" in proof ? await deps.store.findByCredential(sha256(proof.token)) : null;
  const holder: PersonId | null = found !== null && "person" in found ? found.person.id : null;
  return holder === person.id ? null : { kind: "not_proved", needs: "token" };
}
