import type { AgentId } from "../domain/ids.ts";
import type { CatalogPrompt, CatalogResource, CatalogTemplate, ReadMethod } from "../domain/offer.ts";
import type { LiveCaller } from "./live-client.ts";
import type { DispatchOutcome } from "./ports.ts";
import type { ReadAnswerParams, ReadParams, ReadResult } from "./transitions/read.ts";

/** The trace that reads leave. @throws AtlasError `store.failed` when the commit is not known to have happened; nothing may be read or answered then. */
export interface ReadStore {
  /** Records that a read was let through or refused, checked in the same transaction against kill switches, agent and policy. */
  recordRead(params: ReadParams): Promise<ReadResult>;
  /** Records what came of a read that was let through. */
  recordReadAnswer(params: ReadAnswerParams): Promise<void>;
}

/** Where a URI leads. */
export type ResourceRoute =
  | { readonly kind: "found"; readonly upstream: string }
  /** Nobody lists it, and no template matches it. */
  | { readonly kind: "unknown" }
  /** An upstream began to list what was another's, and the other has it no more. */
  | { readonly kind: "quarantined" }
  /** Only a template matches it, and it can be read in two ways. */
  | { readonly kind: "ambiguous" };

export interface ReadDispatchParams extends LiveCaller {
  readonly upstream: string;
  readonly agentId: AgentId;
  readonly method: Exclude<ReadMethod, "resources/subscribe">;
  /** Members of the request's `params` as JSON texts, without `_meta`. */
  readonly params: Readonly<Record<string, string>>;
  /** Forwarded `_meta` as JSON text, null for none. */
  readonly metaText: string | null;
  /** Aborts the read upstream; a read may always be broken off. */
  readonly signal?: AbortSignal;
}

/** What upstreams offer beside tools. */
export interface UpstreamOffers {
  /** Resources that can be read, in order of configuration and listing; each URI once. */
  listResources(): readonly CatalogResource[];
  listTemplates(): readonly CatalogTemplate[];
  /** Prompts that can be got; each exposed name once. */
  listPrompts(): readonly CatalogPrompt[];
  routeResource(uri: string): ResourceRoute;
  findTemplate(uriTemplate: string): CatalogTemplate | undefined;
  findPrompt(exposedName: string): CatalogPrompt | "quarantined" | undefined;
  /** Sends one read on the agent's live connection and reads it to the upstream's deadline. Never throws for what the upstream does. */
  read(params: ReadDispatchParams): Promise<DispatchOutcome>;
  /**
   * Asks the upstream to tell of changes of a resource. One request serves everybody who watches it.
   *
   * @returns a function that ends this watch; null when the upstream takes no subscriptions or refused this one
   */
  watchResource(params: { readonly upstream: string; readonly uri: string }): Promise<(() => void) | null>;
}
