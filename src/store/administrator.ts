import type { PersonId, WriterId } from "../domain/ids.ts";
import type { Actor } from "../domain/principal.ts";

/** Who an administrative event names: the person, or the gateway itself when its configuration made the change. */
export function administrator(by: PersonId | null, writer: WriterId): Actor {
  return by === null ? { kind: "engine", id: writer } : { kind: "admin", id: by };
}
