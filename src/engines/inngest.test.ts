import { createFakeInngest, type FakeInngest } from "../../test/servers/fake-inngest.ts";
import { testEngine } from "./engine.testsuite.ts";
import { createInngestEngine } from "./inngest.ts";

const EVENT_KEY = "event-key-of-a-test";
const SIGNING_KEY = `signkey-test-${"0123456789abcdef".repeat(4)}`;

/** One server for all processes of a test, as one outlives the gateways. */
interface Server {
  readonly fake: FakeInngest;
  handle: (request: Request) => Promise<Response>;
}
const servers = new Map<string, Server>();

testEngine({
  name: "inngest",
  create(rig, drive) {
    const server: Server = servers.get(rig.dir) ?? {
      fake: createFakeInngest({
        nowMs: () => rig.clock.nowMs(),
        eventKey: EVENT_KEY,
        signingKey: SIGNING_KEY,
        call: (url, init) => server.handle(new Request(url, init)),
      }),
      handle: async () => new Response(null, { status: 503 }),
    };
    servers.set(rig.dir, server);
    const engine = createInngestEngine({
      store: rig.store,
      drive,
      settings: {
        baseUrl: "http://inngest.test",
        servePath: "/api/inngest",
        keys: { event: EVENT_KEY, signing: SIGNING_KEY, signingFallback: null },
        concurrency: 16,
      },
      serveOrigin: () => "http://gateway.test",
      writer: rig.deps.writer,
      clock: rig.clock,
      random: rig.deps.random,
      onError: () => undefined,
      onProblem: () => undefined,
      otherWritersAreDead: true,
      fetch: (input, init) => server.fake.fetch(new Request(input, init)),
    });
    server.handle = (request) => engine.handle(request);
    return {
      ...engine,
      async settle() {
        let calls: number;
        do {
          await engine.idle();
          await engine.tick();
          calls = await server.fake.runDue();
        } while (calls > 0);
      },
    };
  },
});
