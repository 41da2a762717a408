import { createHash } from "node:crypto";
import type { Locks } from "../commands/commits.ts";

/** What a process holds for as long as its writing connection lives. */
export const GATEWAY_LOCK = "gateway";
export const MIGRATION_LOCK = "migration";

/**
 * Key of an advisory lock: 64 bits of a hash, so that two names share a lock about never, and if they do, one waits for the other.
 * Of a schema of its own, two gateways on one database do not know each other.
 */
export function lockKey(schema: string, name: string): bigint {
  return createHash("sha256").update(`atlas/${schema}/${name}`).digest().readBigInt64BE();
}

/** The strictest of the locks on guards, and every key once, in one order for all: so no two transactions wait for each other. */
export function lockStatement(schema: string, locks: readonly Locks[]): string {
  const guards = lockKey(schema, "guards");
  const modes = new Set(locks.map((lock) => lock.guards));
  const statements: string[] = [];
  if (modes.has("exclusive")) statements.push(`select pg_advisory_xact_lock(${guards})`);
  else if (modes.has("shared")) statements.push(`select pg_advisory_xact_lock_shared(${guards})`);
  const keys = [...new Set(locks.flatMap((lock) => lock.keys).map((key) => lockKey(schema, key)))].sort(
    (a, b) => (a < b ? -1 : 1),
  );
  if (keys.length > 0) {
    statements.push(`select pg_advisory_xact_lock(key) from unnest(array[${keys.join(",")}]::bigint[]) key`);
  }
  return statements.map((statement) => `${statement};`).join("");
}
