import type { Pool } from "pg";
import type { Driver } from "./driver.ts";
import { clientConfig, type SessionParams } from "./session.ts";

/** Connections for reading, opened as they are needed, `size` at most. */
export function openPool(driver: Driver, params: SessionParams, size: number): Pool {
  const pool = driver.pool({ ...clientConfig(params), max: size });
  // A connection that is lost while nobody uses it is replaced by the next that is needed.
  pool.on("error", () => undefined);
  return pool;
}
