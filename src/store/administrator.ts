import { AtlasError } from "../domain/errors.ts";
import type { PersonId, WriterId } from "../domain/ids.ts";
import type { Actor, Person } from "../domain/principal.ts";
import type { Steps } from "./commands/statement.ts";

/** Who an administrative event names: the person, or the gateway itself when its configuration made the change. */
export function administrator(by: PersonId | null, writer: WriterId): Actor {
  return by === null ? { kind: "engine", id: writer } : { kind: "admin", id: by };
}

/**
 * Checks, inside the transaction of a change, that the person who makes it still may: their role may have been taken
 * while the request was on its way.
 *
 * @param by null is the command line, which may
 * @throws AtlasError `auth.wrong_principal`
 */
export function* requireAdmin(
  by: PersonId | null,
  people: { readonly person: (id: string) => Steps<Person | null> },
): Steps<void> {
  if (by === null) return;
  const person = yield* people.person(by);
  if (person !== null && person.revokedAtMs === null && person.roles.includes("admin")) return;
  throw new AtlasError("auth.wrong_principal", "Only an admin may change who may do what.");
}
