import { isIP } from "node:net";
import { z } from "zod";
import type { EngineConfig } from "./config.ts";
import { httpUrl } from "./fields.ts";
import type { Environment } from "./references.ts";

/** What drives waiting cases. */
export const engineSchema = z.enum(["embedded", "inngest"]).default("embedded");

export const inngestSchema = z
  .strictObject({
    base_url: httpUrl.optional(),
    serve_origin: httpUrl.optional(),
    concurrency: z.int().min(1).max(1_000).default(16),
  })
  .prefault({});

const LOCAL_SERVER = "http://127.0.0.1:8288";

export interface EngineFile {
  readonly engine: z.output<typeof engineSchema>;
  readonly inngest: z.output<typeof inngestSchema>;
  /** Where the gateway listens. */
  readonly host: string;
}

/** The engine of the file with the keys of the environment; a text says what is missing or does not go together. */
export function normaliseEngine(file: EngineFile, env: Environment): EngineConfig | string {
  if (file.engine === "embedded") return { kind: "embedded" };
  const given = (name: string) => (env[name] === "" ? undefined : env[name]);
  const dev = given("INNGEST_DEV");
  const isDev = dev !== undefined && !/^(?:0|false)$/iu.test(dev);
  const event = given("INNGEST_EVENT_KEY");
  const signing = given("INNGEST_SIGNING_KEY");
  const signingFallback = given("INNGEST_SIGNING_KEY_FALLBACK") ?? null;
  const shared = {
    kind: "inngest" as const,
    serveOrigin: originOf(file.inngest.serve_origin ?? given("INNGEST_SERVE_ORIGIN")),
    concurrency: file.inngest.concurrency,
  };
  const baseUrl = file.inngest.base_url ?? given("INNGEST_BASE_URL") ?? null;
  if (isDev) {
    if (signing !== undefined)
      return "INNGEST_DEV turns the check of Inngest's signatures off, although there is an INNGEST_SIGNING_KEY; unset INNGEST_DEV in production, or the key on your own machine";
    if (!isLoopback(file.host))
      return `with INNGEST_DEV nobody checks who calls /api/inngest, and the gateway listens on ${file.host}; listen on 127.0.0.1, or unset INNGEST_DEV and set both keys`;
    const server = /^https?:/u.test(dev) ? dev : LOCAL_SERVER;
    return { ...shared, baseUrl: baseUrl ?? server, keys: null };
  }
  if (event === undefined || signing === undefined)
    return "Inngest needs its keys, so that nobody else can call in its name; set INNGEST_EVENT_KEY and INNGEST_SIGNING_KEY, or INNGEST_DEV=1 for a server on your own machine";
  for (const key of [signing, signingFallback]) {
    if (key !== null && !/^(?:signkey-[a-z0-9]+-)?(?:[0-9a-f]{2}){16,}$/iu.test(key))
      return "an Inngest signing key is `signkey-`, a name and at least 32 hex digits, or the digits alone; correct INNGEST_SIGNING_KEY or INNGEST_SIGNING_KEY_FALLBACK";
  }
  return { ...shared, baseUrl, keys: { event, signing, signingFallback } };
}

function originOf(url: string | undefined): string | null {
  return url === undefined ? null : (URL.parse(url)?.origin ?? null);
}

function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1" || host === "[::1]") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}
