import { systemClock } from "../domain/clock.ts";
import { newWriterId, secureRandomBytes } from "../domain/ids.ts";
import type { Store } from "../governance/ports.ts";
import { loadOrCreateSigningKey } from "../ledger/signing-key.ts";
import { databaseOf, openStore } from "../open-store.ts";
import { createLog } from "../telemetry/log.ts";
import { configPath, dataDir, type WhereOptions } from "./where.ts";

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
  const store = await openStore({
    dataDir: folder,
    database: databaseOf(folder, configPath(options)),
    hold: "beside",
    writer: newWriterId(secureRandomBytes),
    clock: systemClock,
    random: secureRandomBytes,
    signingKey: loadOrCreateSigningKey(folder).privateKey,
    log: createLog(),
  });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
