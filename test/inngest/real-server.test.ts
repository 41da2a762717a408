import { afterAll, beforeAll, describe } from "vitest";
import { testEngine } from "../../src/engines/engine.testsuite.ts";
import { createInngestEngine, type InngestEngine } from "../../src/engines/inngest.ts";
import { startHttpServer } from "../../src/http/server.ts";

/** Set by `npm run test:inngest`. */
const baseUrl = process.env["ATLAS_TEST_INNGEST_URL"];
const eventKey = process.env["INNGEST_EVENT_KEY"];
const signingKey = process.env["INNGEST_SIGNING_KEY"];
const keys =
  eventKey === undefined || signingKey === undefined
    ? null
    : { event: eventKey, signing: signingKey, signingFallback: null };

/** What is under way shows itself again within this time, or nothing is. */
const QUIET_MS = 1_500;
/** What waits longer is a retry, which the tests do not wait for. */
const PATIENCE_MS = 12_000;
const LOOK_EVERY_MS = 50;

/** One address for the engines of all tests, as the server remembers where the function is. */
let origin = "";
let current: InngestEngine | undefined;
let inFlight = 0;
let lastCallAtMs = 0;

async function answer(request: Request): Promise<Response> {
  inFlight++;
  try {
    return (await current?.handle(request)) ?? new Response(null, { status: 503 });
  } finally {
    inFlight--;
    lastCallAtMs = performance.now();
  }
}

describe.skipIf(baseUrl === undefined)("against a real server", { timeout: 240_000 }, () => {
  let server: Awaited<ReturnType<typeof startHttpServer>>;
  beforeAll(async () => {
    server = await startHttpServer({ fetch: answer, host: "127.0.0.1", port: 0 });
    origin = server.url;
  });
  afterAll(() => server.close());

  testEngine({
    name: "inngest",
    crowd: 60,
    create(rig, drive) {
      const engine = createInngestEngine({
        store: rig.store,
        drive,
        settings: { baseUrl: baseUrl ?? null, servePath: "/api/inngest", keys, concurrency: 16 },
        serveOrigin: () => origin,
        writer: rig.deps.writer,
        clock: rig.clock,
        random: rig.deps.random,
        onError: () => undefined,
        onProblem: () => undefined,
        otherWritersAreDead: true,
      });
      current = engine;
      const isQuiet = async () =>
        inFlight === 0 &&
        performance.now() - lastCallAtMs > QUIET_MS &&
        (await rig.store.nextTellingAtMs()) === null;
      return {
        ...engine,
        async settle() {
          await engine.idle();
          await engine.tick();
          lastCallAtMs = performance.now();
          const until = performance.now() + PATIENCE_MS;
          let seenCallAtMs = lastCallAtMs;
          let deadline = until;
          while (!(await isQuiet()) && performance.now() < deadline) {
            if (lastCallAtMs !== seenCallAtMs) {
              seenCallAtMs = lastCallAtMs;
              deadline = performance.now() + PATIENCE_MS;
            }
            await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
          }
          await engine.idle();
        },
      };
    },
  });
});
