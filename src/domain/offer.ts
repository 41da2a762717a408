/** A definition of a resource, template or prompt as an upstream sent it, unknown members included. */
export interface RawDefinition {
  readonly [key: string]: unknown;
}

/** A resource that an upstream lists. Its URI is its identity: tool results and clients quote it, so it is never rewritten. */
export interface CatalogResource {
  /** Upstream's name in the configuration. */
  readonly upstream: string;
  readonly uri: string;
  readonly definition: RawDefinition;
}

/** A family of resources: an RFC 6570 template, as text. */
export interface CatalogTemplate {
  readonly upstream: string;
  readonly uriTemplate: string;
  readonly definition: RawDefinition;
}

/** A prompt, under the name agents see. */
export interface CatalogPrompt {
  readonly upstream: string;
  /** Name at the upstream. */
  readonly name: string;
  /** Name agents use, prefix included. */
  readonly exposedName: string;
  readonly definition: RawDefinition;
}

/** What a read is about. */
export type ReadKind = "resource" | "prompt";

/** What an agent may ask of an upstream beside calling its tools. */
export type ReadMethod = "resources/read" | "resources/subscribe" | "prompts/get" | "completion/complete";
