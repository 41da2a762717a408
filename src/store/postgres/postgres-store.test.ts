import { afterAll } from "vitest";
import { createPostgresDatabase } from "../../../test/servers/postgres-database.ts";
import type { TestDatabase } from "../fixture.testsuite.ts";
import { testStore } from "../store.testsuite.ts";
import { openPostgresStore } from "./postgres-store.ts";

const database = await createPostgresDatabase();
afterAll(() => database.drop());

/** One database for all tests of this file, emptied after each: to make one takes longer than most of them. */
async function useDatabase(): Promise<TestDatabase> {
  return {
    // No lock on the database: the suite opens several stores that take each other for dead, as it does on SQLite.
    open: ({ besideGateway, ...params }) =>
      openPostgresStore({
        ...params,
        url: database.url,
        hold: besideGateway === true ? "beside" : "unlocked",
      }),
    sql: database.sql,
    destroy: database.empty,
  };
}

testStore({ create: useDatabase });
