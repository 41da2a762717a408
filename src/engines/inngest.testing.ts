import { createFakeInngest, type FakeInngest } from "../../test/servers/fake-inngest.ts";
import type { CaseRef } from "../domain/ids.ts";
import type { Rig } from "../governance/rig.testing.ts";
import { createInngestEngine, type InngestEngine } from "./inngest.ts";

export const EVENT_KEY = "event-key-of-a-test";
export const SIGNING_KEY = `signkey-test-${"0123456789abcdef".repeat(4)}`;
export const FALLBACK_KEY = `signkey-test-${"fedcba9876543210".repeat(4)}`;

/** A stand-in server, and whatever gateway is reached through it now. */
export interface InngestServer {
  readonly fake: FakeInngest;
  handle: (request: Request) => Promise<Response>;
}

/** A server in the rig's time. It outlives the gateways that use it. */
export function openInngestServer(rig: Rig, forbidden: readonly string[] = []): InngestServer {
  const server: InngestServer = {
    fake: createFakeInngest({
      nowMs: () => rig.clock.nowMs(),
      eventKey: EVENT_KEY,
      signingKey: SIGNING_KEY,
      forbidden,
      call: (url, init) => server.handle(new Request(url, init)),
    }),
    handle: async () => new Response(null, { status: 503 }),
  };
  return server;
}

export interface InngestUnderTest extends InngestEngine {
  /** Does all that is due now, at the server too. */
  settle(): Promise<void>;
}

/** The engine of one gateway, reached from now on. */
export function connectEngine(
  rig: Rig,
  server: InngestServer,
  drive: (ref: CaseRef) => Promise<void>,
): InngestUnderTest {
  const engine = createInngestEngine({
    store: rig.store,
    drive,
    settings: {
      baseUrl: "http://inngest.test",
      servePath: "/api/inngest",
      keys: { event: EVENT_KEY, signing: SIGNING_KEY, signingFallback: FALLBACK_KEY },
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
}
