import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { type PostgresServer, startPostgres } from "./postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the tests of this run ask for their Postgres server. */
    postgresStarter: string;
  }
}

/**
 * One Postgres server for a whole run of the tests, started when the first of them asks: `$ATLAS_TEST_PG` (the URL of a database
 * whose user may create others), else one of our own.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<PostgresServer> | undefined;
  const server = createServer((_request, response) => {
    const given = process.env["ATLAS_TEST_PG"];
    const url =
      given === undefined
        ? (starting ??= startPostgres({ max_connections: "300" })).then((own) => own.url())
        : Promise.resolve(given);
    url.then(
      (found) => response.end(found),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  project.provide("postgresStarter", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    const own = await starting?.catch(() => undefined);
    await own?.destroy();
  };
}
