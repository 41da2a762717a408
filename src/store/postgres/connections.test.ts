import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, afterEach, expect, test } from "vitest";
import { createPostgresDatabase } from "../../../test/servers/postgres-database.ts";
import { newWriterId, secureRandomBytes } from "../../domain/ids.ts";
import { openGateway, setUp, testSigningKey } from "../fixture.testsuite.ts";
import { openPostgresStore } from "./postgres-store.ts";

const database = await createPostgresDatabase();
afterAll(() => database.drop());
afterEach(() => database.empty());

const PASSWORD = "hunter2-do-not-print";

function open(change: (url: URL) => void = () => undefined) {
  const url = new URL(database.url);
  change(url);
  const random = secureRandomBytes;
  const writer = newWriterId(random);
  return openPostgresStore({ url: url.href, writer, random, signingKey: testSigningKey, hold: "alone" });
}

async function refusal(change: (url: URL) => void): Promise<string> {
  const error: unknown = await open(change).then(
    (store) => store.close(),
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "store.failed" });
  const message = error instanceof Error ? error.message : "";
  expect(message).not.toContain(PASSWORD);
  return message;
}

test("a wrong password, a missing database and a server that is not there are said, without the password", async () => {
  const wrong = await refusal((url) => {
    url.password = PASSWORD;
  });
  expect(wrong).toContain("wrong password");
  expect(
    await refusal((url) => {
      url.pathname = "/nowhere";
    }),
  ).toContain("There is no database nowhere");
  const absent = await refusal((url) => {
    url.port = "1";
    url.password = PASSWORD;
  });
  expect(absent).toContain("No Postgres server answers at");
});

test("a database that acknowledges commits before they are on disk is refused", async () => {
  const message = await refusal((url) => url.searchParams.set("options", "-c synchronous_commit=off"));
  expect(message).toContain("`synchronous_commit` is off");
});

test("of two gateways that want the database to themselves, the second is told who has it", async () => {
  const first = await open();
  const second = open();
  await expect(second).rejects.toMatchObject({
    code: "data.locked",
    message: expect.stringContaining(`process ${process.pid} on `),
  });
  await first.close();
  await (await open()).close();
});

/** A way to the server that can lose the answer to a COMMIT that the server has carried out. */
async function lossyWay(to: URL) {
  let armed = false;
  const server = createServer((client: Socket) => {
    const onward = connect(Number(to.port), to.hostname);
    let losing = false;
    client.on("error", () => undefined);
    onward.on("error", () => undefined);
    client.on("data", (chunk: Buffer) => {
      if (armed && chunk.includes("commit\0")) {
        armed = false;
        losing = true;
      }
      onward.write(chunk);
    });
    onward.on("data", (chunk: Buffer) => {
      if (losing && chunk.includes("COMMIT\0")) client.destroy();
      else client.write(chunk);
    });
    client.on("close", () => onward.end());
    onward.on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    loseNextCommit: () => {
      armed = true;
    },
    isArmed: () => armed,
    close: () => server.close(),
  };
}

test("a COMMIT whose answer is lost is looked up, and acknowledged when it stands", async () => {
  const way = await lossyWay(new URL(database.url));
  const gateway = await openGateway({
    open: ({ besideGateway: _not, clock: _its, ...params }) => {
      const url = new URL(database.url);
      url.port = String(way.port);
      return openPostgresStore({ ...params, url: url.href, hold: "alone" });
    },
  });
  await setUp(gateway.store);
  way.loseNextCommit();
  const { case: opened } = await gateway.opened();
  expect(way.isArmed()).toBe(false);
  expect(await gateway.store.getCase(opened.ref)).toMatchObject({ state: "AWAITING_REVIEW" });
  expect(await gateway.store.recordDecision(gateway.decision(opened))).toMatchObject({ kind: "recorded" });
  await gateway.store.close();
  way.close();
});
