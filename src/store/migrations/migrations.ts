import type { Migration, MigrationProvider } from "kysely/migration";
import { initialMigration, type SqlDialect } from "./0001-initial.ts";
import { accountsMigration } from "./0002-accounts.ts";
import { caseActionsMigration } from "./0003-case-actions.ts";
import { toolAcceptance } from "./0004-tool-acceptance.ts";
import { retentionMigration } from "./0005-retention.ts";
import { postgresMigration } from "./0006-postgres.ts";
import { engineRunsMigration } from "./0007-engine-runs.ts";
import { importsMigration } from "./0008-imports.ts";

/** Every migration in order of its name, named here so that a bundle needs no folder at run time. */
export function migrationProvider(dialect: SqlDialect): MigrationProvider {
  const migrations: Record<string, Migration> = {
    "0001-initial": initialMigration(dialect),
    "0002-accounts": accountsMigration,
    "0003-case-actions": caseActionsMigration(),
    "0004-tool-acceptance": toolAcceptance,
    "0005-retention": retentionMigration,
    "0006-postgres": postgresMigration(dialect),
    "0007-engine-runs": engineRunsMigration,
    "0008-imports": importsMigration,
  };
  return { getMigrations: () => Promise.resolve(migrations) };
}
