import { afterAll } from "vitest";
import { createPostgresDatabase } from "../../test/servers/postgres-database.ts";
import { openPostgresStore } from "../store/postgres/postgres-store.ts";
import { createEmbeddedEngine } from "./embedded.ts";
import { testEngine } from "./engine.testsuite.ts";

const database = await createPostgresDatabase();
afterAll(() => database.drop());

testEngine({
  name: "embedded, on Postgres,",
  database: {
    openStore: (params) => openPostgresStore({ ...params, url: database.url, hold: "alone" }),
    empty: () => database.empty(),
  },
  create(rig, drive) {
    const engine = createEmbeddedEngine({
      store: rig.store,
      drive,
      writer: rig.deps.writer,
      clock: rig.clock,
      onError: () => undefined,
    });
    return {
      ...engine,
      async settle() {
        await engine.tick();
        await engine.idle();
      },
    };
  },
});
