import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFakeInngest } from "../../../test/servers/fake-inngest.ts";
import { loadConfig } from "../../config/load.ts";
import { type HttpServer, startHttpServer } from "../../http/server.ts";
import { checkEngine } from "./engine.ts";

const SIGNING = "ab".repeat(32);
let server: HttpServer;
beforeAll(async () => {
  const fake = createFakeInngest({
    nowMs: () => 0,
    eventKey: "event-key",
    signingKey: SIGNING,
    call: () => Promise.reject(new Error("nobody is called")),
  });
  server = await startHttpServer({ fetch: (request) => fake.fetch(request), host: "127.0.0.1", port: 0 });
});
afterAll(() => server.close());

const ENGINE_YAML = new URL("../../../test/inngest/engine.yaml", import.meta.url).pathname;

async function findings(env: Record<string, string>) {
  const config = loadConfig({ path: ENGINE_YAML, env, dataDir: "/srv/atlas" });
  return (await checkEngine(config)).map(({ topic, level }) => `${topic}: ${level}`);
}

describe("checkEngine", () => {
  test("finds the server and keys that it knows", async () => {
    const env = {
      INNGEST_BASE_URL: server.url,
      INNGEST_EVENT_KEY: "event-key",
      INNGEST_SIGNING_KEY: SIGNING,
    };
    expect(await findings(env)).toEqual(["engine: ok", "engine keys: ok"]);
  });

  test.each([
    ["event", { INNGEST_EVENT_KEY: "another", INNGEST_SIGNING_KEY: SIGNING }],
    ["signing", { INNGEST_EVENT_KEY: "event-key", INNGEST_SIGNING_KEY: "cd".repeat(32) }],
  ])("finds an %s key that the server does not know", async (_, keys) => {
    expect(await findings({ INNGEST_BASE_URL: server.url, ...keys })).toEqual([
      "engine: ok",
      "engine keys: problem",
    ]);
  });

  test("finds that no server is there", async () => {
    const env = {
      INNGEST_BASE_URL: "http://127.0.0.1:1",
      INNGEST_EVENT_KEY: "e",
      INNGEST_SIGNING_KEY: SIGNING,
    };
    expect(await findings(env)).toEqual(["engine: problem"]);
  });

  test("warns of development mode", async () => {
    expect(await findings({ INNGEST_DEV: server.url })).toEqual(["engine: ok", "engine keys: warning"]);
  });
});
