import type { Client, ClientConfig, Pool, PoolConfig } from "pg";

/** The one place that loads `pg`: a gateway on SQLite never does. */
export interface Driver {
  client(config: ClientConfig): Client;
  pool(config: PoolConfig): Pool;
}

export async function loadDriver(): Promise<Driver> {
  const { default: pg } = await import("pg");
  const types = {
    // Epoch milliseconds, counters and sums are far below 2^53, and rows hold them as numbers.
    getTypeParser(...[oid, format]: Parameters<typeof pg.types.getTypeParser>) {
      const { INT8, NUMERIC } = pg.types.builtins;
      return oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format);
    },
  };
  return {
    client: (config) => new pg.Client({ ...config, types }),
    pool: (config) => new pg.Pool({ ...config, types }),
  };
}
