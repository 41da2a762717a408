import { existsSync } from "node:fs";
import path from "node:path";
import { DATABASE_FILE } from "../app.ts";
import { systemClock } from "../domain/clock.ts";
import { AtlasError } from "../domain/errors.ts";
import { newWriterId, secureRandomBytes } from "../domain/ids.ts";
import type { Store } from "../governance/ports.ts";
import { loadOrCreateSigningKey } from "../ledger/signing-key.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { createLog } from "../telemetry/log.ts";
import { dataDir, type WhereOptions } from "./where.ts";

/**
 * Opens the database of a data folder for one administrative change, beside a running gateway if there is one:
 * whoever may write the folder may administer it. The change is its own writer in the ledger.
 *
 * @throws AtlasError `config.invalid` when the folder holds no database
 */
export async function withAdminStore<Answer>(
  options: WhereOptions,
  use: (store: Store) => Promise<Answer>,
): Promise<Answer> {
  const folder = dataDir(options);
  const file = path.join(folder, DATABASE_FILE);
  if (!existsSync(file)) {
    throw new AtlasError(
      "config.invalid",
      `There is no database in ${folder}. Start the gateway once, or name its folder with --data.`,
    );
  }
  const store = await openSqliteStore({
    path: file,
    writer: newWriterId(secureRandomBytes),
    clock: systemClock,
    random: secureRandomBytes,
    signingKey: loadOrCreateSigningKey(folder).privateKey,
    log: createLog(),
    besideGateway: true,
  });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
