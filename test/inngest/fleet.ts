import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { startHttpServer } from "../../src/http/server.ts";
import { type RecordedCall, recordedCalls } from "../servers/counting-upstream.ts";
import { createFakeInngest, type FakeInngest } from "../servers/fake-inngest.ts";
import { COMPILE_CACHE, type GatewayProcess, startGatewayProcess } from "../servers/gateway-process.ts";

const COUNTING_UPSTREAM = join(import.meta.dirname, "..", "servers", "counting-upstream.ts");
const EVENT_KEY = "event-key-of-the-fleet";
const SIGNING_KEY = `signkey-test-${"0f1e2d3c4b5a6978".repeat(4)}`;
/** How much faster the server's time goes, so that its retries are not waited for. */
const SPEED = 60;
const LOOK_EVERY_MS = 10;

const credentialsSchema = z.object({
  agent: z.object({ key: z.string() }),
  reviewer: z.object({ token: z.string() }),
});

export interface Member extends GatewayProcess {
  readonly name: string;
}

/** Gateways of one configuration, the Inngest server between them, and the one upstream that counts what reaches it. */
export interface Fleet {
  readonly fake: FakeInngest;
  readonly members: readonly Member[];
  readonly credentials: () => z.infer<typeof credentialsSchema>;
  /** Starts one more gateway, with a data folder of that name. */
  start(name: string): Promise<Member>;
  /** What reached the upstream, from whatever gateway. */
  calls(): readonly RecordedCall[];
  /** Everything that the gateways wrote. */
  output(): string;
  dispose(): Promise<void>;
}

export async function openFleet(database: string | null): Promise<Fleet> {
  const dir = mkdtempSync(join(tmpdir(), "atlas-fleet-"));
  const recordFile = join(dir, "record.jsonl");
  const config = join(dir, "atlas.yaml");
  const members: Member[] = [];
  const startedAtMs = Date.now();
  let turn = 0;
  const fake = createFakeInngest({
    nowMs: () => startedAtMs + (Date.now() - startedAtMs) * SPEED,
    eventKey: EVENT_KEY,
    signingKey: SIGNING_KEY,
    // As a proxy before several gateways does: past one that is gone, while one that stands still is found out by its silence.
    call: async (url, init) => {
      const { pathname, search } = new URL(url);
      for (let tries = members.length; ; tries--) {
        turn += 1;
        const target = `${members[turn % members.length]?.url}${pathname}${search}`;
        try {
          return await fetch(target, { ...init, signal: AbortSignal.timeout(3_000) });
        } catch (error) {
          if (error instanceof DOMException || tries <= 1) throw error;
        }
      }
    },
  });
  const server = await startHttpServer({
    fetch: (request) => fake.fetch(request),
    host: "127.0.0.1",
    port: 0,
  });
  writeFileSync(
    config,
    JSON.stringify({
      engine: "inngest",
      inngest: { base_url: server.url, serve_origin: "http://gateways.test" },
      ...(database !== null && { database: { url: database } }),
      upstreams: {
        counting: {
          command: process.execPath,
          args: [COUNTING_UPSTREAM, "--record", recordFile],
          env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
          prefix: "",
          connect_deadline: "60s",
          call_deadline: "5s",
        },
      },
      policy: [{ tool: "write_thing", verdict: "review" }],
    }),
  );
  const closing = new AbortController();
  const pump = (async () => {
    while (!closing.signal.aborted) {
      await fake.runDue();
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  const outputs: (() => string)[] = [];
  const first = () => join(dir, members[0]?.name ?? "", "first-credentials.json");
  return {
    fake,
    members,
    credentials: () => credentialsSchema.parse(JSON.parse(readFileSync(first(), "utf8"))),
    async start(name) {
      const dataDir = join(dir, name);
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      const env = {
        INNGEST_EVENT_KEY: EVENT_KEY,
        INNGEST_SIGNING_KEY: SIGNING_KEY,
        INNGEST_DEV: undefined,
        ATLAS_LOG_LEVEL: "warn",
      };
      const member = { ...(await startGatewayProcess({ config, dataDir, env })), name };
      outputs.push(() => member.output());
      members.push(member);
      return member;
    },
    calls: () => recordedCalls(recordFile),
    output: () => outputs.map((read) => read()).join("\n"),
    async dispose() {
      closing.abort();
      await pump;
      for (const member of members) {
        // One that stands still has to go on before it can end.
        member.signal("SIGCONT");
        member.signal("SIGKILL");
        await member.exited;
      }
      await server.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
