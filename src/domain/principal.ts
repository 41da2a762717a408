import type { AgentId, PersonId } from "./ids.ts";

/** What a human principal may do: reviewers decide, admins configure, auditors read and verify. */
export const ROLES = ["reviewer", "admin", "auditor"] as const;
export type Role = (typeof ROLES)[number];

/** The principal that calls tools. Known by its credential, never by what it says of itself. */
export interface Agent {
  readonly id: AgentId;
  /** The person who answers for the agent; never decides its cases. */
  readonly ownerId: PersonId;
  /** Set when the agent was revoked: its credential opens nothing and its waiting cases cannot be claimed. */
  readonly revokedAtMs: number | null;
}

/** A human principal. */
export interface Person {
  readonly id: PersonId;
  readonly roles: readonly Role[];
  readonly revokedAtMs: number | null;
}

export type Principal =
  | { readonly kind: "agent"; readonly agent: Agent }
  | { readonly kind: "person"; readonly person: Person };

/** A credential that opens nothing. An answer, not an error: its sender can do something about it. */
export interface RefusedCredential {
  readonly kind: "refused";
  readonly code: "auth.missing" | "auth.wrong_principal" | "auth.insufficient_scope" | "auth.unavailable";
  /** For whoever runs the client; quotes nothing that was sent. */
  readonly message: string;
  /** What RFC 6750 calls it; missing when another token would not help. */
  readonly tokenError?: "invalid_token" | "insufficient_scope";
  /** Scopes a token must have, as RFC 6749 writes them. */
  readonly scope?: string;
}

export type Admission = Principal | RefusedCredential;

/** Who did something, as a ledger event names them: kind and id, never a name. */
export type Actor =
  | { readonly kind: "agent"; readonly id: AgentId }
  | { readonly kind: "reviewer" | "admin"; readonly id: PersonId }
  | { readonly kind: "auditor"; readonly id: PersonId }
  | { readonly kind: "policy" | "assessor" | "engine" | "dispatcher" | "reconciler"; readonly id: string };

export type ActorKind = Actor["kind"];

/** How an event names a person who acts for themself: by the role that lets them do most. */
export function ownActor(person: Person): Actor {
  const kind = (["admin", "reviewer"] as const).find((role) => person.roles.includes(role)) ?? "auditor";
  return { kind, id: person.id };
}
