import { z } from "zod";
import { type Agent, type Person, ROLES } from "../domain/principal.ts";
import type { AgentRow, PersonRow } from "./database.ts";

const rolesSchema = z.array(z.enum(ROLES));

export function rowToAgent(row: AgentRow): Agent {
  return { id: row.id, ownerId: row.owner_id, revokedAtMs: row.revoked_at_ms };
}

export function rolesToText(roles: Person["roles"]): string {
  return JSON.stringify([...new Set(roles)].sort());
}

export function rowToPerson(row: PersonRow): Person {
  return { id: row.id, roles: rolesSchema.parse(JSON.parse(row.roles)), revokedAtMs: row.revoked_at_ms };
}
