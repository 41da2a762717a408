import type { EngineConfig } from "./config/config.ts";
import type { Clock } from "./domain/clock.ts";
import type { CaseRef, RandomBytes, WriterId } from "./domain/ids.ts";
import { createEmbeddedEngine } from "./engines/embedded.ts";
import { createInngestEngine } from "./engines/inngest.ts";
import type { Engine, Store } from "./governance/ports.ts";
import type { Log } from "./telemetry/log.ts";

export interface OpenEngineDeps {
  readonly store: Store;
  readonly drive: (ref: CaseRef) => Promise<void>;
  /** Where the gateway is reached; read once it listens. */
  readonly ownUrl: () => string;
  readonly publicPath: string;
  readonly otherWritersAreDead: boolean;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly writer: WriterId;
  readonly log: Log;
}

export interface OpenedEngine {
  readonly engine: Engine;
  /** Answers `/api/inngest`; null where the engine calls nobody. */
  readonly endpoint: ((request: Request) => Promise<Response>) | null;
}

/** The engine that the configuration names. */
export function openEngine(config: EngineConfig, deps: OpenEngineDeps): OpenedEngine {
  const { log } = deps;
  const onError = (ref: CaseRef | null, error: unknown) =>
    log.error({ error, ...(ref !== null && { ref }) }, sentenceOf(ref, config));
  if (config.kind === "embedded")
    return { engine: createEmbeddedEngine({ ...deps, onError }), endpoint: null };
  const engine = createInngestEngine({
    ...deps,
    settings: { ...config, servePath: `${deps.publicPath}/api/inngest` },
    serveOrigin: () => config.serveOrigin ?? deps.ownUrl(),
    onError,
    onProblem: (sentence) => log.warn({ problem: sentence }, "Inngest's SDK reported a problem."),
  });
  return { engine, endpoint: (request) => engine.handle(request) };
}

function sentenceOf(ref: CaseRef | null, config: EngineConfig): string {
  if (ref !== null) return "a case could not be driven; it will be tried again";
  return config.kind === "embedded"
    ? "cases that are due could not be looked for; it will be tried again"
    : "Inngest could not be told, or the outbox to it not be read; it will be tried again";
}
